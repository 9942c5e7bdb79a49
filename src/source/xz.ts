import {ReadableStream} from 'node:stream/web';
import xz from 'xz-decompress';
import type {ByteSource} from './byte-source.ts';
import {DamagedArchive} from './compression.ts';

/** The XZ Embedded decoder, as WebAssembly. */
export async function* unpackXz(source: ByteSource): AsyncGenerator<Uint8Array, void> {
  const pieces = source.pieces();
  let unreadable: unknown = null;
  const packed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const {done, value} = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        unreadable = error;
        controller.error(error);
      }
    },
  });
  const reader = new xz.XzReadableStream(packed as ConstructorParameters<typeof xz.XzReadableStream>[0]).getReader();
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      if (value.length > 0) yield value;
    }
  } catch (error) {
    if (unreadable !== null) throw unreadable;
    throw new DamagedArchive((error as Error).message, {cause: error});
  } finally {
    // Its decoder serves one stream at a time: one that is left in the middle must be given up.
    await reader.cancel().catch(() => {});
  }
}
