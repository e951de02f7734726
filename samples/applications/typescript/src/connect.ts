import { connect as connectGateway, hash, signers, type Gateway } from '@hyperledger/fabric-gateway';
import * as grpc from '@grpc/grpc-js';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What this application reads of the connection profile. */
interface Profile {
  client: { organization: string };
  organizations: Record<string, { mspid: string; peers: string[] }>;
  peers: Record<string, { url: string; tlsCACerts: { pem: string } }>;
}

/**
 * Opens a gateway at the organization's own peer, which finds the other organizations' endorsers itself: neither their
 * addresses nor their CAs are needed here. The folder is what `kubectl hanse env CONSORTIUM --identity user` writes; address
 * (host:port) is where the peer is reached, if not at the one in the connection profile.
 */
export function connect(folder: string, address?: string): { gateway: Gateway; close: () => void } {
  const profile = JSON.parse(readFileSync(join(folder, 'connection.json'), 'utf8')) as Profile;
  const own = profile.organizations[profile.client.organization];
  // The node's name in the cluster. Its certificate bears it, wherever the connection goes.
  const name = own?.peers.sort()[0];
  if (own === undefined || name === undefined) {
    throw new Error('connection.json: the organization has no peer');
  }
  const peer = profile.peers[name];
  const client = new grpc.Client(
    address ?? peer.url.replace('grpcs://', ''),
    grpc.credentials.createSsl(Buffer.from(peer.tlsCACerts.pem)),
    { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name },
  );
  const gateway = connectGateway({
    client,
    hash: hash.sha256,
    identity: { mspId: own.mspid, credentials: readFileSync(join(folder, 'msp/signcerts/cert.pem')) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(join(folder, 'msp/keystore/key.pem')))),
  });
  return { gateway, close: () => { gateway.close(); client.close(); } };
}
