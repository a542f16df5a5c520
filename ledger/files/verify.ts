/** What is done with a file before any row of it is recorded: it is read to its end, where its checksums are. */

import { CardDataSearch } from "./card-data-search";
import { decodedText, GZIP_RATIO_MAX, plainBytes, UnreadableGzipError } from "./text";

/** Why nothing of the file may be recorded. @throws what the download throws, also where S3's checksum does not hold. */
export async function gzipFault(bytes: AsyncIterable<Uint8Array>): Promise<UnreadableGzipError | undefined> {
  try {
    for await (const _chunk of plainBytes(bytes, { ratioMax: GZIP_RATIO_MAX }));
    return undefined;
  } catch (error) {
    if (error instanceof UnreadableGzipError) return error;
    throw error;
  }
}

/** Whether card data is in a file of which nothing can be recorded, as far as it can be read before its fault. */
export async function isCardDataBefore(
  { soundBytes }: UnreadableGzipError,
  bytes: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const search = new CardDataSearch();
  try {
    for await (const text of decodedText(bytes, { ratioMax: GZIP_RATIO_MAX, bytewiseFrom: soundBytes })) {
      search.push(text);
      if (search.found) break;
    }
  } catch (error) {
    if (!(error instanceof UnreadableGzipError)) throw error;
  }
  return search.end();
}
