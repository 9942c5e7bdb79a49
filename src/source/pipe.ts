import {Socket} from 'node:net';

/**
 * Reads a pipe, FIFO or socket without holding a thread: a read that waits can be given up, and does not keep
 * the process from ending.
 */
export class Pipe {
  private readonly socket: Socket;
  private readonly arrived = Buffer.allocUnsafe(64 * 1024);
  private from = 0;
  private to = 0;
  private isAtEnd = false;
  private failure: Error | null = null;
  private wake: () => void = () => {};

  /** Takes the descriptor over and closes it. When `signal` is aborted the pipe is at its end. */
  constructor(descriptor: number, signal: AbortSignal | undefined) {
    this.socket = new Socket({
      fd: descriptor,
      readable: true,
      writable: false,
      onread: {
        buffer: this.arrived,
        callback: (length: number) => {
          this.from = 0;
          this.to = length;
          this.wake();
          return false;
        },
      },
    } as ConstructorParameters<typeof Socket>[0]);
    this.socket.on('error', (error) => this.end(error));
    this.socket.on('end', () => this.end(null));
    this.socket.on('close', () => this.end(null));
    const abort = () => this.close();
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, {once: true});
    this.socket.once('close', () => signal?.removeEventListener('abort', abort));
  }

  /** Waits for bytes. 0: the end. */
  async read(into: Buffer, offset: number, length: number): Promise<number> {
    while (this.from === this.to) {
      if (this.failure !== null) throw this.failure;
      if (this.isAtEnd) return 0;
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.socket.resume();
      await woken;
    }
    const count = this.arrived.copy(into, offset, this.from, Math.min(this.to, this.from + length));
    this.from += count;
    return count;
  }

  close(): void {
    this.socket.destroy();
    this.end(null);
  }

  private end(failure: Error | null): void {
    this.isAtEnd = true;
    this.failure ??= failure;
    this.wake();
  }
}
