// The client under test, and what the test that started this process says of the server.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const said = JSON.parse(readFileSync(process.env.SAID, 'utf8'));
const folder = join(said.modules, '@cubejs-client', 'core', 'dist', 'src', 'index.js');
const module = await import(pathToFileURL(folder));

export const { RequestError, ResultSet } = module;
export const client = (options = {}, token = said.token) =>
  module.default(token, { apiUrl: `${said.url}/cubejs-api/v1`, ...options });
export const pick = (rows, ...keys) => rows.map((row) => keys.map((key) => row[key]));
