/** The errors of the local tooling. Each says what happened, the rule behind it and the remedy; callers switch on `code`. */

import { CodedError } from "../contract";

export type LocalErrorCode =
  | "PYTHON_MISSING"
  | "PYTHON_VENV_MISSING"
  | "PYTHON_PACKAGES_FAILED"
  | "GO_BUILD_FAILED"
  | "EMULATOR_START_FAILED"
  | "ENDPOINT_NOT_LOOPBACK"
  | "SYNTH_FAILED"
  | "SYNTH_OUTPUT_MISSING"
  | "TYPE_UNKNOWN"
  | "ARGUMENT_UNKNOWN"
  | "ARGUMENT_INVALID"
  | "EXPRESSION_UNRESOLVED"
  | "REFERENCE_CYCLE"
  | "ENVIRONMENT_EXISTS"
  | "RESOURCE_FAILED"
  | "LOOKUP_FAILED"
  | "FUNCTION_FAILED"
  | "POLICY_UNSUPPORTED"
  | "PERMISSION_MISSING"
  | "EMBEDDED_ALREADY_UP"
  | "EMBEDDED_START_TIMEOUT";

export class LocalError extends CodedError<LocalErrorCode> {
  override readonly name: string = "LocalError";
}
