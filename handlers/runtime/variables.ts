/** The functions' environment variables, read from the process here and nowhere else. */

export const VARIABLES: Readonly<Record<string, string | undefined>> = process.env;
