import {EXIT_INTERRUPTED} from './exit-code.ts';

/** How long a reader may take to notice before the process ends all the same. */
const PATIENCE_MS = 2000;

/**
 * Ctrl-C asks whoever reads to stop, so that what was read so far can still be reported. A second one, or a
 * reader that does not listen, ends the process at once.
 */
export function interruptible(): {readonly signal: AbortSignal; readonly release: () => void} {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const end = () => process.exit(EXIT_INTERRUPTED);
  const onInterrupt = () => {
    if (controller.signal.aborted) end();
    controller.abort();
    timer = setTimeout(end, PATIENCE_MS).unref();
  };
  process.on('SIGINT', onInterrupt);
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      process.off('SIGINT', onInterrupt);
    },
  };
}
