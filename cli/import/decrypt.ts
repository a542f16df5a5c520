/** Decrypts the binary fields of old rows with the credentials of the person who runs the import. */

import { DecryptCommand, IncorrectKeyException, InvalidCiphertextException, type KMSClient } from "@aws-sdk/client-kms";
import type { Fields } from "./values";

/**
 * What kms:Encrypt made names its key, so none is asked for. A field that is no such ciphertext stays as it is, and its row is refused.
 * @throws the SDK's error if KMS does not allow it or is out of reach.
 */
export function decrypter(kms: KMSClient): (fields: Fields) => Promise<Fields> {
  const clear = async (bytes: Uint8Array): Promise<string | Uint8Array> => {
    try {
      const { Plaintext = new Uint8Array() } = await kms.send(new DecryptCommand({ CiphertextBlob: bytes }));
      return Buffer.from(Plaintext).toString("utf8");
    } catch (error) {
      if (error instanceof InvalidCiphertextException || error instanceof IncorrectKeyException) return bytes;
      throw error;
    }
  };
  return async (fields) => {
    const members = Object.entries(fields).map(
      async ([name, value]) => [name, value instanceof Uint8Array ? await clear(value) : value] as const,
    );
    return Object.fromEntries(await Promise.all(members));
  };
}
