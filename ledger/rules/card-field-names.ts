/** Card data recognised by the name of its field: security codes, PINs and tracks have too few digits to be recognised alone. */

import { isLosslessNumber } from "lossless-json";
import type { CardDataKind } from "./card-numbers";

/** What a name may be wrapped in: `card_cvv`, `cvvCode`, `payment.card.cvc2`. */
const named = (core: string) => new RegExp(`^(?:[a-z]*card|cc|payment|customer)?(?:${core})(?:code|number|value|no)?$`);

/** Names that mean nothing else. Any value counts, because a masked or encrypted security code may not be kept either. */
const CVV_NAME = named(
  "cvv[123]?|cvc[123]?|icvv|dcvv2?|cvn2|cvx2|cvd2|cav2|csc2|cvp2|cardverification(?:code|value|number|data)?|cardsecurity(?:code|value|number)",
);
/** Names with other uses (a customer's `cid`, a product's `csc`, a `cve`): they count with 3 or 4 digits only. */
const CVV_NAME_WITH_FORM = named(
  "cid|csc|cvn|cvd|cvx|cav|cve|securitycode|cardcode|verificationvalue|cv(?:code|number|no)",
);
const CVV_FORM = /^\d{3,4}$/;

const PIN_NAME = /^(?:[a-z]*pinblock|(?:encrypted)?pindata|pinoffset|de52)$/;
/** `pincode` is missing on purpose: it is the postal code of India. */
const PIN_NAME_WITH_FORM =
  /^(?:[a-z]*card|atm|debit|old|new|clear|plain|encrypted|customer|user)?(?:pin|pvv)(?:value|number)?$/;
/** A PIN of ISO 9564, or its block of 8 or 16 bytes in hex. */
const PIN_FORM = /^(?:\d{4,12}|[0-9a-f]{16}|[0-9a-f]{32})$/i;

const INDIAN_POSTAL_CODE = /^[1-9]\d{5}$/;
const ADDRESS_NAME =
  /^(?:[a-z]*(?:address|street|city|town|district|state|locality|landmark|country|postoffice)|(?:address)?line[1-4]?)(?:name|code|[1-4])?$/;

const TRACK_NAME =
  /^(?:[a-z]*card|emv|msr|raw|full|encrypted)?(?:track(?:[123]|one|two|three)?(?:equivalent)?data|track(?:[123]|one|two|three)|mag(?:netic)?stripe(?:data)?|stripedata|swipedata|msrdata|de35|de36|de45)$/;

const NAME_LENGTH_MAX = 64;
const NO_KINDS: ReadonlySet<CardDataKind> = new Set();

/** The name in lower case without what people put between its words; empty when it is too long for a name. */
export function plainName(key: string): string {
  if (key.length > NAME_LENGTH_MAX) return "";
  return key
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
}

/** @param besides the names of all fields of the same object. */
export function kindsByName(name: string, value: unknown, besides: () => readonly string[]): ReadonlySet<CardDataKind> {
  if (name === "" || isWithoutContent(value)) return NO_KINDS;
  if (CVV_NAME.test(name) || (CVV_NAME_WITH_FORM.test(name) && hasForm(value, CVV_FORM))) return new Set(["CVV"]);
  if (
    name === "pin" &&
    hasForm(value, INDIAN_POSTAL_CODE) &&
    besides().some((key) => ADDRESS_NAME.test(plainName(key)))
  )
    return NO_KINDS;
  if (PIN_NAME.test(name) || (PIN_NAME_WITH_FORM.test(name) && hasForm(value, PIN_FORM))) return new Set(["PIN"]);
  return TRACK_NAME.test(name) ? new Set(["TRACK"]) : NO_KINDS;
}

/** A boolean says at most that a code was there, which may be kept. */
function isWithoutContent(value: unknown): boolean {
  if (value === null || value === undefined || typeof value === "boolean") return true;
  if (typeof value === "string") return value.trim() === "";
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Looks one level into arrays and objects, where DynamoDB's JSON keeps a value: `{"pin": {"S": "1234"}}`. */
function hasForm(value: unknown, form: RegExp): boolean {
  const isNested = typeof value === "object" && value !== null && !isLosslessNumber(value);
  const values: unknown[] = isNested ? Object.values(value) : [value];
  return values.some((each) => {
    const text = scalarText(each);
    return text !== undefined && form.test(text.trim());
  });
}

/** A text or number as text; undefined for anything else. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (isLosslessNumber(value)) return value.value;
  return typeof value === "number" || typeof value === "bigint" ? String(value) : undefined;
}
