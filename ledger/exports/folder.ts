/** A folder of exports as their readers see it: a list of files and their bytes, from a disk or from a bucket. */

export interface FolderFile {
  /** With `/` between its parts, from the folder's top. */
  readonly path: string;
  readonly bytes: number;
  /** As S3 states it; a disk knows none. */
  readonly etag?: string;
}

export interface ExportFolder {
  /** How reports name it. */
  readonly name: string;
  /** @param onProblem called for each part of the folder that cannot be listed, with the reason. */
  list(onProblem?: (problem: string) => void): AsyncIterable<FolderFile>;
  /** As it streams by, or as a list of its one chunk. @throws FileError for what is not a readable file. */
  open(path: string): Promise<AsyncIterable<Uint8Array> | readonly [Buffer]>;
}

export async function filesOf(
  folder: ExportFolder,
  onProblem?: (problem: string) => void,
): Promise<Map<string, FolderFile>> {
  const listed = new Map<string, FolderFile>();
  for await (const file of folder.list(onProblem)) listed.set(file.path, file);
  return listed;
}
