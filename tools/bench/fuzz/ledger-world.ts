/** The ledger over an AWS in memory, the check of an answer against its published schema, and the look at all that rests. */

import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import { ALL_TEST_NUMBERS } from "../../../__tests__/ledger/rules/card-test-numbers";
import { CodedError, FILE_PREFIXES, TABLES } from "../../../contract";
import { PaymentFiles } from "../../../ledger/files/payment-files";
import type { Call } from "../../../ledger/operations/call";
import { toItemJson } from "../../../ledger/rules/attribute-value";
import { auditView } from "../../../ledger/store/audit-record";
import { deriveMacKeys, FieldEncryption } from "../../../ledger/store/key-material";
import type { Services } from "../../../ledger/store/services";
import { storedItem } from "../../../ledger/store/transaction";
import { publishedSchemas } from "../../write-schemas";
import { TOKEN_MARK } from "./inputs";
import { MemoryAws } from "./memory-aws";
import type { Random } from "./random";

/** An outcome that no published answer describes, or something at rest that must not be there. */
export class Unexpected extends CodedError<"UNEXPECTED"> {
  override readonly name = "Unexpected";

  constructor(message: string) {
    super("UNEXPECTED", message);
  }
}

export interface FuzzTarget {
  readonly name: string;
  /** Sends one input. @returns the coded outcome. @throws Unexpected for any other outcome. */
  send(random: Random): Promise<string>;
  /** Looks through all that rests after the inputs so far, and begins anew. */
  settle(): Promise<void>;
}

export const BUCKET = "payment-files-fuzz";
const ajv = new Ajv2020({ strict: false });
const SCHEMAS = new Map<string, ValidateFunction>(
  [...publishedSchemas()].map(([file, text]) => [file.replace(/\.json$/, ""), ajv.compile(JSON.parse(text))]),
);

export function mustFit(schema: string, answer: unknown): void {
  const validate = SCHEMAS.get(schema);
  if (validate === undefined) throw new Error(`No schema is published for ${schema}.`);
  if (!validate(answer)) throw new Unexpected(`${schema}: ${ajv.errorsText(validate.errors)}`);
}

/** Each number with what may group its digits in any way (`ledger/rules/card-data.ts`); letters and digits on either side end it. */
const PLANTED = new RegExp(
  ALL_TEST_NUMBERS.map((digits) => `(?<![0-9A-Za-z])${[...digits].join("[\\s\\p{Pd}.+]{0,3}")}(?![0-9A-Za-z])`).join(
    "|",
  ),
  "u",
);

class LedgerWorld {
  readonly aws = new MemoryAws();
  readonly files = new PaymentFiles(this.aws.s3, BUCKET);
  readonly faults: unknown[] = [];
  readonly services: Services;
  #requests = 0;

  constructor() {
    const { dynamo, kms } = this.aws;
    const { paymentLedger, paymentAuditTrail, paymentMessages, paymentTransactions, paymentEvents } = TABLES;
    const keyArn = (id: string) => `arn:aws:kms:us-east-1:111122223333:key/${id}`;
    const macKeys = deriveMacKeys(kms, keyArn("mac"));
    this.services = {
      dynamo,
      tables: {
        paymentLedger: paymentLedger.logicalName,
        paymentAuditTrail: paymentAuditTrail.logicalName,
        paymentMessages: paymentMessages.logicalName,
        paymentTransactions: paymentTransactions.logicalName,
        paymentEvents: paymentEvents.logicalName,
      },
      tokenFields: new FieldEncryption({ kms, keyArn: keyArn("token"), table: "PaymentLedger", hierarchy: "shared" }),
      auditFields: new FieldEncryption({
        kms,
        keyArn: keyArn("audit"),
        table: "PaymentAuditTrail",
        hierarchy: "shared",
      }),
      macKeys: () => macKeys,
      indexShardCount: 4,
      signal: () => undefined,
      logFault: (error) => this.faults.push(error),
    };
  }

  call(operation: string): Call {
    this.#requests += 1;
    return {
      operation,
      caller: { requestId: `request-${this.#requests}`, functionName: operation },
      now: new Date(),
      remainingMs: () => 600_000,
    };
  }

  /** A technical fault is no outcome here: the AWS in memory has none. */
  mustHaveNoFault(): void {
    const [fault] = this.faults;
    if (fault !== undefined) throw new Unexpected(`A technical fault without a cause: ${String(fault)}`);
  }

  /** Items, the encrypted details of the trail in clear, and reports. */
  async written(): Promise<string[]> {
    const texts: string[] = [];
    for (const [table, items] of this.aws.tables) {
      for (const raw of items.values()) {
        const item = storedItem(raw);
        texts.push(JSON.stringify(toItemJson(item)));
        if (table === TABLES.paymentAuditTrail.logicalName)
          texts.push(JSON.stringify(await auditView(item, this.services)));
      }
    }
    return [...texts, ...this.#objects((key) => !key.startsWith(FILE_PREFIXES.payments))];
  }

  /** The senders' files that are still there. A compressed one that is damaged is kept for its sender, unread. */
  sentFiles(): string[] {
    return this.#objects((key) => key.startsWith(FILE_PREFIXES.payments) && !key.endsWith(".gz"));
  }

  #objects(isChosen: (key: string) => boolean): string[] {
    return [...this.aws.objects].flatMap(([key, { bytes }]) => (isChosen(key) ? [bytes.toString("utf8")] : []));
  }
}

export abstract class LedgerWay implements FuzzTarget {
  abstract readonly name: string;
  protected world = new LedgerWorld();

  abstract send(random: Random): Promise<string>;

  async settle(): Promise<void> {
    const { world } = this;
    // Also after a finding: the next inputs begin in an empty world.
    this.world = new LedgerWorld();
    const written = (await world.written()).map((text) => text.normalize("NFKC"));
    for (const clear of [...written, ...world.sentFiles().map((text) => text.normalize("NFKC"))]) {
      const number = PLANTED.exec(clear);
      if (number !== null) throw new Unexpected(`A card number rests: ${around(clear, number.index)}`);
    }
    for (const clear of written) {
      const token = clear.indexOf(TOKEN_MARK);
      if (token >= 0) throw new Unexpected(`A token rests: ${around(clear, token)}`);
    }
  }
}

function around(text: string, at: number): string {
  return text.slice(Math.max(0, at - 120), at + 60);
}
