import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { renderDocs } from '../../scripts/render-docs.ts';
import { loadConfig, loadJsonSchema, parseWhole } from '../../src/config/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
}

const ROOT = join(import.meta.dirname, '../..');

describe('the generated pages', async () => {
  for (const [path, text] of await renderDocs())
    it(`include ${path} as it is now; \`npm run docs\` writes it`, () => {
      assert.equal(readFileSync(join(ROOT, path), 'utf8'), text);
    });

  it('describe every key of the configuration', async () => {
    const undescribed: string[] = [];
    const visit = (schema: Described, path: string): void => {
      for (const [key, value] of Object.entries(schema.properties ?? {})) {
        if (value.description === undefined) undescribed.push(`${path}${key}`);
        visit(value, `${path}${key}.`);
      }
    };
    const { properties } = (await loadJsonSchema()) as { properties: { apps: { additionalProperties: object } } };
    visit(properties.apps.additionalProperties, '');
    assert.deepEqual(undescribed, []);
  });
});

describe('the configuration in docs/alerts.md', () => {
  it('can be used as it stands there', async () => {
    const [, text = ''] = /```js\n(.*?)```/s.exec(readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8')) ?? [];
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'drover.config.js');
    writeFileSync(path, text);
    writeFileSync(join(folder.path, 'server.js'), '');
    const { file, value } = await loadConfig(path);
    assert.equal(parseWhole(value, file, {}).daemon?.alerts.length, 3);
  });
});
