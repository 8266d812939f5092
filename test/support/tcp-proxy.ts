import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/**
 * A way to a Postgres server that a test can close.
 *
 *   open --cut()--> refusing: connections are reset, new ones too
 *   open --stall()--> stalled: nothing gets through, and nobody is told
 *   any --restore()--> open; what was stalled gets through
 */
export class TcpProxy implements AsyncDisposable {
  /** Of the same user and database, by way of this proxy. */
  readonly connectionString: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: 'open' | 'refusing' | 'stalled' = 'open';

  private constructor(server: Server, target: URL) {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
    const url = new URL(target);
    url.searchParams.delete('host');
    url.host = `127.0.0.1:${address.port}`;
    this.connectionString = url.href;
    this.#server = server;
    server.on('connection', (client) => this.#connect(client, target));
  }

  /** Listens on a free port of this machine. */
  static async start(targetUrl: string): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, new URL(targetUrl));
  }

  cut(): void {
    this.#state = 'refusing';
    for (const socket of this.#sockets) reset(socket);
  }

  stall(): void {
    this.#state = 'stalled';
    for (const socket of this.#sockets) socket.pause();
  }

  restore(): void {
    this.#state = 'open';
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(client: Socket, target: URL): void {
    if (this.#state === 'refusing') {
      reset(client);
      return;
    }
    const server = createConnection(endpointOf(target));
    this.#forward(client, server);
    this.#forward(server, client);
  }

  #forward(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (chunk) => to.write(chunk));
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#state === 'stalled') from.pause();
  }
}

/** Only TCP knows a reset. */
function reset(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function endpointOf(target: URL): { path: string } | { host: string; port: number } {
  const port = Number(target.port || 5432);
  const host = target.searchParams.get('host') ?? target.hostname;
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
}
