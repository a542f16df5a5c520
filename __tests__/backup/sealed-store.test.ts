/** What pieces of a check and its merging share in the export bucket: what was begun once is not begun again. */

import { type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { sealedStore } from "../../backup/sealed-store";
import { MemoryAws } from "../../tools/bench/fuzz/memory-aws";
import { MAC_KEY } from "../support/ledger-fixtures";

type Middleware = MemoryAws["dynamo"]["middlewareStack"];

function storeIn(aws: MemoryAws, run = "run-1") {
  const setting = {
    count: 2,
    s3: aws.s3,
    bucket: "exports",
    keyArn: "arn:aws:kms:::key/data",
    prefix: "pieces/backup/",
  };
  return sealedStore(setting, run, async () => ({ record: MAC_KEY, content: MAC_KEY }));
}

/** Answers conditional puts so, as often as it says. */
function refuse(s3: S3Client, httpStatusCode: number, times: number, meanwhile: () => void = () => {}): void {
  let refused = 0;
  (s3.middlewareStack as unknown as Middleware).add(
    (next) => async (args) => {
      const { IfNoneMatch } = args.input as { IfNoneMatch?: string };
      if (IfNoneMatch === undefined || refused >= times) return next(args);
      refused += 1;
      if (refused === times) meanwhile();
      throw new S3ServiceException({ name: "Refused", $fault: "client", message: "", $metadata: { httpStatusCode } });
    },
    { step: "initialize", name: "refusing", priority: "high" },
  );
}

const bytes = (text: string) => Buffer.from(text);

test("of two that create the same object the second gets what the first has put", async () => {
  const aws = new MemoryAws();
  const puts = jest.spyOn(aws.s3, "send");
  const [one, other] = await Promise.all([
    storeIn(aws).create("plan.json", bytes("one")),
    storeIn(aws).create("plan.json", bytes("other")),
  ]);
  expect(one).toEqual(other);
  expect(await storeIn(aws).read("plan.json")).toEqual(one);
  expect(await storeIn(aws).create("plan.json", bytes("third"))).toEqual(one);
  expect(puts.mock.calls[0]?.[0].input).toMatchObject({
    Key: "pieces/backup/run-1/plan.json",
    IfNoneMatch: "*",
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId: "arn:aws:kms:::key/data",
  });
});

test("what somebody else has put there is refused instead of taken", async () => {
  const aws = new MemoryAws();
  aws.objects.set("pieces/backup/run-1/plan.json", { bytes: bytes(`${"0".repeat(64)}{}`), versionId: "v1" });
  await expect(storeIn(aws).create("plan.json", bytes("own"))).rejects.toMatchObject({ code: "PIECE_FORGED" });
  // An object of another run has another name, which its MAC covers.
  await storeIn(aws, "run-2").create("plan.json", bytes("of run 2"));
  const moved = aws.objects.get("pieces/backup/run-2/plan.json");
  if (moved !== undefined) aws.objects.set("pieces/backup/run-1/plan.json", moved);
  await expect(storeIn(aws).create("plan.json", bytes("own"))).rejects.toMatchObject({ code: "PIECE_FORGED" });
});

test("an object that another caller is just putting is waited for; any other fault is thrown", async () => {
  const aws = new MemoryAws();
  const first = storeIn(aws);
  await first.create("elsewhere", bytes("first"));
  const waiting = new MemoryAws();
  refuse(waiting.s3, 409, 2);
  expect(await storeIn(waiting).create("plan.json", bytes("own"))).toEqual(bytes("own"));

  const lost = new MemoryAws();
  const putByOther = () => {
    const object = aws.objects.get("pieces/backup/run-1/elsewhere");
    if (object !== undefined) lost.objects.set("pieces/backup/run-1/elsewhere", object);
  };
  refuse(lost.s3, 409, 2, putByOther);
  expect(await storeIn(lost).create("elsewhere", bytes("second"))).toEqual(bytes("first"));

  const never = new MemoryAws();
  refuse(never.s3, 409, 100);
  await expect(storeIn(never).create("plan.json", bytes("own"))).rejects.toThrow("no such object exists");
  const forbidden = new MemoryAws();
  refuse(forbidden.s3, 403, 1);
  await expect(storeIn(forbidden).create("plan.json", bytes("own"))).rejects.toMatchObject({ name: "Refused" });
});
