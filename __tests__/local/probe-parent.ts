/** Run as a process of its own: starts the embedded AWS, deploys the fixture, reports, and stays until it is killed. */
import { deploy } from "../../local/deploy";
import { startEmbeddedAws } from "../../local/embedded-aws";

async function main(outputDirectory: string): Promise<void> {
  const aws = await startEmbeddedAws();
  const deployment = await deploy({ aws, outputDirectory });
  const reach = await deployment.invoke("persistPaymentLedger", { mode: "reach" });
  const environment = await deployment.invoke("persistPaymentLedger", { mode: "environment" });
  process.stdout.write(`${JSON.stringify({ endpoint: aws.endpoint, pid: aws.pid, reach, environment })}\n`);
  setInterval(() => {}, 1_000);
}

void main(process.argv[2] ?? "");
