/**
 * Names the fields in which a request differs from what is recorded under its id. It names fields and never says a value.
 * Stored ciphertexts are not opened for it: an encrypted field is named only when no readable field differs.
 */

/** What is recorded, by the names that a request uses. A field that was not sent is absent or undefined. */
export interface RecordedContent {
  readonly fields: Readonly<Record<string, unknown>>;
  /** The field whose recorded value is the time of recording where the request named no time. */
  readonly defaultedTime?: string | undefined;
  /** Fields that are stored encrypted. */
  readonly encrypted?: readonly string[];
}

/**
 * @param sent the readable fields of the request, normalised; their values are compared as texts.
 * @returns the names, separated by commas; undefined when no field can be named.
 */
export function differingFields(
  sent: Readonly<Record<string, unknown>>,
  { fields, defaultedTime, encrypted = [] }: RecordedContent,
): string | undefined {
  const names = [...new Set([...Object.keys(fields), ...Object.keys(sent)])].filter(
    (name) => !encrypted.includes(name) && sent[name] !== fields[name],
  );
  // A request that names no time gets the time of recording, so it may agree with the stored one.
  const certain = names.filter((name) => name !== defaultedTime || sent[name] !== undefined);
  const named = certain.length > 0 ? certain : [...encrypted, ...uncertainTime(sent, defaultedTime)];
  return named.length === 0 ? undefined : named.join(", ");
}

/** The sender may have read the time of recording and sent it as the payment's own. */
function uncertainTime(sent: Readonly<Record<string, unknown>>, defaultedTime: string | undefined): string[] {
  return defaultedTime === undefined || sent[defaultedTime] === undefined ? [] : [defaultedTime];
}
