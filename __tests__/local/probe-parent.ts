/** Runs as a separate process: starts the embedded AWS, deploys the fixture, reports, and stays until it is killed. */
import { deploy } from "../../local/deploy";
import { startEmbeddedAws } from "../../local/embedded-aws";

async function main(outputDirectory: string): Promise<void> {
  const aws = await startEmbeddedAws();
  const deployment = await deploy({ aws, outputDirectory });
  const reach = await deployment.invoke("persistPaymentLedger", { mode: "reach" });
  const environment = await deployment.invoke("persistPaymentLedger", { mode: "environment" });
  const gate = deployment.gate?.url;
  const functionEndpoint = await deployment.gate?.urlOf(deployment.functionName("persistPaymentLedger"));
  const report = { endpoint: aws.endpoint, gate, functionEndpoint, pid: aws.pid, reach, environment };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  setInterval(() => {}, 1_000);
}

void main(process.argv[2] ?? "");
