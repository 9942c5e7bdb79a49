/** All rules: the more a trouble costs, the earlier it is asked for. */
import appThreadsBlockShutdown from './app-threads-block-shutdown.ts';
import bootFailure from './boot-failure.ts';
import chainReloadSlow from './chain-reload-slow.ts';
import clientsGone from './clients-gone.ts';
import clockDisagreement from './clock-disagreement.ts';
import configurationNotInForce from './configuration-not-in-force.ts';
import controlSocketUnreachable from './control-socket-unreachable.ts';
import crashLoop from './crash-loop.ts';
import daemonBlocksReload from './daemon-blocks-reload.ts';
import evilReloadKills from './evil-reload-kills.ts';
import forcedKillUndecided from './forced-kill-undecided.ts';
import forkUnsafeLibrary from './fork-unsafe-library.ts';
import harakiriKills from './harakiri-kills.ts';
import instancePaused from './instance-paused.ts';
import killWithoutEffect from './kill-without-effect.ts';
import killedFromOutside from './killed-from-outside.ts';
import knownUpstreamTrouble from './known-upstream-trouble.ts';
import listenQueueFull from './listen-queue-full.ts';
import logHidesTimes from './log-hides-times.ts';
import masterDied from './master-died.ts';
import memoryKill from './memory-kill.ts';
import mercyIneffective from './mercy-ineffective.ts';
import mercyTooLong from './mercy-too-long.ts';
import mercyTooShort from './mercy-too-short.ts';
import muleBlocksReload from './mule-blocks-reload.ts';
import noIdleWorker from './no-idle-worker.ts';
import oldCodeKept from './old-code-kept.ts';
import outerTimeoutTooShort from './outer-timeout-too-short.ts';
import pidfileNamesNobody from './pidfile-names-nobody.ts';
import platformErrors from './platform-errors.ts';
import programLeftByItself from './program-left-by-itself.ts';
import recycleBlocked from './recycle-blocked.ts';
import recycledTooOften from './recycled-too-often.ts';
import reloadLostApp from './reload-lost-app.ts';
import reloadUnfinished from './reload-unfinished.ts';
import reloadedTwice from './reloaded-twice.ts';
import requestBlocksShutdown from './request-blocks-shutdown.ts';
import respawnOrphansTasks from './respawn-orphans-tasks.ts';
import restartedFromAbove from './restarted-from-above.ts';
import riskySetting from './risky-setting.ts';
import routerCutsClients from './router-cuts-clients.ts';
import type {Rule} from './rule.ts';
import signalHitWorkers from './signal-hit-workers.ts';
import slowStartEmptiesService from './slow-start-empties-service.ts';
import spoolerTaskCut from './spooler-task-cut.ts';
import stopBecameReload from './stop-became-reload.ts';
import stopLeftProcesses from './stop-left-processes.ts';
import survivorsHoldPort from './survivors-hold-port.ts';
import synchronizedRecycling from './synchronized-recycling.ts';
import threadsLostOnFork from './threads-lost-on-fork.ts';
import unitReloadFailed from './unit-reload-failed.ts';
import upgradeStuck from './upgrade-stuck.ts';
import vassalKeepsDying from './vassal-keeps-dying.ts';
import watchdogKill from './watchdog-kill.ts';
import workerCrashed from './worker-crashed.ts';
import workerNeverCameBack from './worker-never-came-back.ts';
import workerNeverServed from './worker-never-served.ts';
import workerTimeout from './worker-timeout.ts';
import workersEndSilently from './workers-end-silently.ts';

export const rules: readonly Rule[] = [
  appThreadsBlockShutdown,
  requestBlocksShutdown,
  forcedKillUndecided,
  recycleBlocked,
  killWithoutEffect,
  muleBlocksReload,
  workerTimeout,
  reloadUnfinished,
  respawnOrphansTasks,
  workerNeverCameBack,
  workerNeverServed,
  vassalKeepsDying,
  stopBecameReload,
  outerTimeoutTooShort,
  stopLeftProcesses,
  unitReloadFailed,
  signalHitWorkers,
  upgradeStuck,
  watchdogKill,
  programLeftByItself,
  survivorsHoldPort,
  bootFailure,
  reloadLostApp,
  knownUpstreamTrouble,
  crashLoop,
  workerCrashed,
  killedFromOutside,
  workersEndSilently,
  forkUnsafeLibrary,
  memoryKill,
  evilReloadKills,
  harakiriKills,
  masterDied,
  instancePaused,
  controlSocketUnreachable,
  pidfileNamesNobody,
  listenQueueFull,
  noIdleWorker,
  mercyIneffective,
  mercyTooShort,
  mercyTooLong,
  chainReloadSlow,
  slowStartEmptiesService,
  daemonBlocksReload,
  spoolerTaskCut,
  synchronizedRecycling,
  recycledTooOften,
  routerCutsClients,
  clientsGone,
  platformErrors,
  reloadedTwice,
  oldCodeKept,
  threadsLostOnFork,
  configurationNotInForce,
  riskySetting,
  clockDisagreement,
  logHidesTimes,
  restartedFromAbove,
];
