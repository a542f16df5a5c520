/** Data sources that a stack may read. Each answers what the provider would, for the endpoint that is deployed to. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { zipSync } from "fflate";
import { LocalError } from "../errors";
import { renderPolicyDocument } from "../policy-document";
import type { Arguments } from "./arguments";
import type { CreateByType, DeployContext } from "./context";

const ZIP_TIME = new Date("1980-01-01T12:00:00Z");

export const DATA_SOURCES: CreateByType = {
  aws_caller_identity: async (_args, { account, partition }) => ({
    id: account,
    account_id: account,
    arn: `arn:${partition}:iam::${account}:root`,
    user_id: account,
  }),

  aws_region: async (_args, { region }) => ({ id: region, region, name: region }),

  aws_partition: async (_args, { partition }) => ({
    id: partition,
    partition,
    dns_suffix: "amazonaws.com",
    reverse_dns_prefix: "com.amazonaws",
  }),

  aws_availability_zones: async (args, { region }) => {
    args.withoutEffect("state", "filter", "exclude_names");
    const names = ["a", "b", "c"].map((letter) => `${region}${letter}`);
    return { id: region, names, zone_ids: names };
  },

  aws_iam_policy_document: async (args) => {
    args.withoutEffect(...Object.keys(args.values));
    const json = renderPolicyDocument(args.address, args.values);
    return { id: createHash("sha256").update(json).digest("hex"), json, minified_json: json };
  },

  archive_file: async (args, context) => {
    args.withoutEffect("output_file_mode");
    if (args.text("type") !== "zip") throw archiveRefused(args, `"type" must be zip`);
    const outputPath = args.text("output_path");
    const archive = zipFolder(args);
    context.archives.set(outputPath, archive);
    const digest = createHash("sha256").update(archive).digest();
    return {
      id: outputPath,
      output_size: archive.length,
      output_sha256: digest.toString("hex"),
      output_base64sha256: digest.toString("base64"),
    };
  },

  local_file: async (args, context) => {
    const filename = args.text("filename");
    // An archive is kept in memory here: nothing is written into the synthesized folder.
    const bytes = context.archives.get(filename) ?? (existsSync(filename) ? readFileSync(filename) : undefined);
    if (bytes === undefined) throw archiveRefused(args, `the file ${path.relative("", filename)} does not exist`);
    return { id: filename, content_base64: Buffer.from(bytes).toString("base64") };
  },

  aws_ec2_managed_prefix_list: prefixList,
  aws_prefix_list: prefixList,
};

async function prefixList(args: Arguments, { region }: DeployContext) {
  args.withoutEffect(...Object.keys(args.values));
  const id = `pl-${createHash("sha256").update(`${region}/${args.address}`).digest("hex").slice(0, 8)}`;
  return { id, prefix_list_id: id, cidr_blocks: [], entries: [] };
}

/** Every file of the folder that the plan would zip. */
function zipFolder(args: Arguments): Uint8Array {
  const folder = args.text("source_dir");
  if (!existsSync(folder)) throw archiveRefused(args, `the folder ${path.relative("", folder)} does not exist`);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(path.join(folder, file)).isFile())
    .sort();
  const contents = files.map((file): [string, Uint8Array] => [
    file.split(path.sep).join("/"),
    readFileSync(path.join(folder, file)),
  ]);
  return zipSync(Object.fromEntries(contents), { mtime: ZIP_TIME, level: 1 });
}

function archiveRefused(args: Arguments, reason: string): LocalError {
  return new LocalError("ARGUMENT_INVALID", `${args.address}: ${reason}. Synthesize again, then deploy.`);
}
