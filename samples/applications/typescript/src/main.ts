// Writes the digest of a text to the ledger through the organization's own peer, waits until that is committed, and reads
// it back.
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';

import { connect } from './connect';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      folder: { type: 'string', default: './application' },
      address: { type: 'string' },
      channel: { type: 'string', default: 'settlement' },
      contract: { type: 'string', default: 'notary' },
    },
  });
  const [id, text] = positionals;
  if (id === undefined || text === undefined) {
    console.error('usage: main.js [--folder F] [--address HOST:PORT] [--channel C] [--contract C] ID TEXT');
    process.exitCode = 2;
    return;
  }
  const { gateway, close } = connect(values.folder, values.address);
  try {
    const contract = gateway.getNetwork(values.channel).getContract(values.contract);
    const digest = createHash('sha256').update(text).digest('hex');
    await contract.submit('Put', { arguments: [id, digest, 'sha256', ''] });
    console.log(`${id} is committed`);
    const record = await contract.evaluate('Get', { arguments: [id] });
    console.log(Buffer.from(record).toString());
  } finally {
    close();
  }
}

main().catch((error: unknown) => {
  console.error('error:', error);
  process.exitCode = 1;
});
