// Play one JavaScript client: read jobs from standard input, write what became of each.
//
//     node player.mjs KIND FOLDER     (FOLDER: where the client is installed)

import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const [kind, folder] = process.argv.slice(2);
const require = createRequire(path.join(folder, "package.json"));
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const apiKey = "sk-litellm-patch-lab-5e0c1f";
const messages = [{ role: "user", content: "one word" }];

const kinds = {
  async openai() {
    const { OpenAI } = await load("openai");
    return async ({ url, model }) => {
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });
      await client.chat.completions.create({ model, messages });
    };
  },
  async anthropic() {
    const { Anthropic } = await load("@anthropic-ai/sdk");
    return async ({ url, model }) => {
      const client = new Anthropic({ baseURL: url, apiKey });
      await client.messages.create({ model, messages, max_tokens: 5 });
    };
  },
  async vercel() {
    const { generateText } = await load("ai");
    const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
    return async ({ url, model }) => {
      const provider = createOpenAICompatible({ name: "proxy", baseURL: `${url}/v1`, apiKey });
      await generateText({ model: provider.chatModel(model), prompt: "one word" });
    };
  },
};

const tell = (what) => console.log(JSON.stringify(what));
const call = await kinds[kind]();
tell({ ready: true });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  call(job).then(
    () => tell({ cell: job.cell, served: true, note: "" }),
    (error) => tell({ cell: job.cell, served: false, note: error?.constructor?.name ?? "error" }),
  );
}
