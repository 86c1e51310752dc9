// nodemailer's pool as its documentation shows it: kept connections, a message object for each reader.
// node nodemailer_driver.cjs LETTER.json PORT LETTERS CONNECTIONS
const fs = require('fs');
const nodemailer = require('nodemailer');

const [file, port, letters, connections] = process.argv.slice(2);
const letter = JSON.parse(fs.readFileSync(file, 'utf8'));
const pool = nodemailer.createTransport({
  pool: true, host: '127.0.0.1', port: Number(port), secure: false, ignoreTLS: true,
  maxConnections: Number(connections), maxMessages: Infinity,
});

const message = (number) => ({
  from: letter.from,
  to: `reader${number}@example.org`,
  subject: letter.subject,
  date: letter.date,
  messageId: `<${number}.bench@example.org>`,
  headers: {
    'List-Unsubscribe': `<https://example.org/unsubscribe/${String(number).padStart(30, '0')}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  },
  text: letter.text.replaceAll('@READER@', String(number)),
  html: letter.html.replaceAll('@READER@', String(number)),
});

async function main() {
  const start = process.hrtime.bigint();
  const used = process.cpuUsage();
  let next = 0;
  const lane = async () => {
    while (next < Number(letters)) await pool.sendMail(message(next++));
  };
  // Two for each connection: while one letter waits for its answer the next one is made.
  await Promise.all(Array.from({ length: 2 * Number(connections) }, lane));
  const { user, system } = process.cpuUsage(used);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  pool.close();
  console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6 }));
}

main().catch((error) => { console.error(error); process.exit(1); });
