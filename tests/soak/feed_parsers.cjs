// Three parsers of JavaScript's world read feeds from files: feed_parsers.cjs MODULES FILE…
// Prints {parser: {file: [id, …]}} as JSON; a parser that does not read JSON Feed leaves those files out.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');

const [modules, ...files] = process.argv.slice(2);
const from = createRequire(`${modules}/`);

const parsers = {
  'rss-parser': async (text) => {
    const Parser = from('rss-parser');
    const feed = await new Parser().parseString(text);
    return feed.items.map((item) => item.guid ?? item.id);
  },
  '@rowanmanning/feed-parser': async (text) => {
    const { parseFeed } = await import(from.resolve('@rowanmanning/feed-parser'));
    return parseFeed(text).items.map((item) => item.id);
  },
  feedsmith: async (text) => {
    const { parseFeed } = await import(from.resolve('feedsmith'));
    const { feed } = parseFeed(text);
    return (feed.items ?? feed.entries).map((item) => item.guid?.value ?? item.id);
  },
};
const READS_JSON = new Set(['feedsmith']);

(async () => {
  const found = {};
  for (const [name, parse] of Object.entries(parsers)) {
    found[name] = {};
    for (const file of files) {
      if (file.endsWith('.json') && !READS_JSON.has(name)) continue;
      found[name][file] = await parse(readFileSync(file, 'utf8'));
    }
  }
  console.log(JSON.stringify(found));
})();
