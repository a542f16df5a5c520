import { CredentialsError, defaultProvider } from "../../handlers/runtime/credentials";

const NAMES = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] as const;
const before = NAMES.map((name) => [name, process.env[name]] as const);

function set(values: Readonly<Record<string, string | undefined>>): void {
  for (const name of NAMES) {
    const value = values[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

afterAll(() => set(Object.fromEntries(before)));

test("a function signs with the credentials of its role, which are in its environment", async () => {
  set({ AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "token" });
  await expect(defaultProvider()()).resolves.toMatchObject({
    accessKeyId: "id",
    secretAccessKey: "secret",
    sessionToken: "token",
  });
});

test.each([
  {},
  { AWS_ACCESS_KEY_ID: "id" },
  { AWS_SECRET_ACCESS_KEY: "secret" },
  { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "secret" },
])("%p is refused", async (values) => {
  set(values);
  const refused = await defaultProvider()().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CredentialsError);
  expect(refused).toMatchObject({ code: "NO_CREDENTIALS", name: "CredentialsError" });
  expect(`${refused}`).toMatch(/AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are missing\. Lambda sets them/);
});
