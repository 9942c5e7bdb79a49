import type {ConfiguredPlace, Instance, Setting} from '../timeline/timeline.ts';
import {type Finding, type Fix, NO_PROCESS, type Rule} from './rule.ts';
import {compareVersions, configured, isOn, isUnknown, mayHave, setting} from './settings.ts';
import {instanceName, proof} from './wording.ts';

const rule: Rule = {
  id: 'risky-setting',
  title: 'A setting is likely to cause trouble',
  severity: 'info',
  docs: {
    sees:
      'In the configuration that was given (--config): settings and combinations of settings that are known to make ' +
      'reloads and stops slow or to lose work, whether or not this log shows it.',
    why:
      'What has not happened in this log may happen in the next. Patiences must nest: the time limit of supervisord or ' +
      'systemd above the mercy of the server, the mercy above what its requests are allowed to take.',
    remedy: 'Change the setting at the next opportunity, or know why it is as it is.',
    limits:
      'It goes by the configuration alone. Where the log proves the trouble as well, that is a finding of its own and ' +
      'this one is not given.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/ThingsToKnow.html',
      'https://docs.gunicorn.org/en/stable/settings.html',
      'http://supervisord.org/configuration.html#program-x-section-settings',
    ],
  },
  needs: {
    messages: [],
    configuration: true,
    otherwise: 'no configuration was given (--config FILE); no log tells of a setting that did no harm yet',
  },
  *check({instances}) {
    for (const instance of instances) {
      // A server that was stopped and started again has the same configuration.
      if (instances.some(({predecessor}) => predecessor === instance.id) || instance.configured.length === 0) continue;
      for (const smell of SMELLS) {
        const settings = new Settings(instance);
        const found = smell(settings);
        // What only the server's machine knows may as well be right.
        if (found && !settings.isOpen) yield describe(instance, found);
      }
    }
  },
};

export default rule;

interface Smell {
  /** Names it in the fingerprint. */
  readonly id: string;
  readonly title: string;
  readonly message: string;
  /** The line that it is about: where the setting is, or where it is missing. */
  readonly at: Setting | ConfiguredPlace;
  readonly fix: Pick<Fix, 'setting' | 'section' | 'value' | 'effect' | 'why'> & Partial<Fix>;
}

/** What the files and the log tell of one instance. */
class Settings {
  readonly instance: Instance;
  /** One of those that were asked for is set to what is not known. */
  isOpen = false;

  constructor(instance: Instance) {
    this.instance = instance;
  }

  get isUwsgi(): boolean {
    return this.instance.supervisor === 'uwsgi';
  }

  get isGunicorn(): boolean {
    return this.instance.supervisor === 'gunicorn';
  }

  /** As written, with a line. */
  written(name: string): Setting | null {
    this.ask(name);
    return configured(this.instance, name);
  }

  number(name: string): number | null {
    this.ask(name);
    const value = setting(this.instance, name)?.value;
    return value === undefined || value === true || !Number.isFinite(Number(value)) ? null : Number(value);
  }

  isOn(name: string): boolean {
    this.ask(name);
    return isOn(this.instance, name);
  }

  word(name: string): string {
    this.ask(name);
    return String(setting(this.instance, name)?.value ?? '');
  }

  private ask(name: string): void {
    this.isOpen ||= isUnknown(this.instance, name);
  }

  place(server: ConfiguredPlace['server']): ConfiguredPlace | null {
    return this.instance.configured.findLast((place) => place.server === server) ?? null;
  }
}

/** The patience of whoever runs the server, and what it is called there. */
function outerPatience(
  settings: Settings,
): {name: string; seconds: number; section: string; at: Setting | ConfiguredPlace; isContainer: boolean} | null {
  const all = [
    ['supervisord', 'stopwaitsecs'],
    ['systemd', 'TimeoutStopSec'],
    ['compose', 'stop_grace_period'],
    ['kubernetes', 'terminationGracePeriodSeconds'],
  ] as const;
  for (const [server, name] of all) {
    const place = settings.place(server);
    const seconds = settings.number(name);
    const isContainer = server === 'compose' || server === 'kubernetes';
    if (place !== null && seconds !== null)
      return {name, seconds, section: place.section, at: settings.written(name) ?? place, isContainer};
  }
  return null;
}

const SMELLS: readonly ((settings: Settings) => Smell | null)[] = [
  function outerShorter(settings) {
    const outer = outerPatience(settings);
    const name = settings.isUwsgi ? 'worker-reload-mercy' : settings.isGunicorn ? 'graceful_timeout' : null;
    const inner = name === null ? null : settings.number(name);
    if (outer === null || name === null || inner === null || outer.seconds > inner + 1) return null;
    return {
      id: 'outer-timeout',
      title: `${outer.name} is not longer than ${name}`,
      message:
        `At a stop the server waits up to ${inner} s for its workers (${name}), and is itself killed after ` +
        `${outer.seconds} s (${outer.name}). ${
          outer.isContainer
            ? 'Then its workers, and their requests, end with it.'
            : 'Then its workers are left behind, and may hold the port.'
        }`,
      at: outer.at,
      fix: {
        setting: outer.name,
        section: outer.section,
        // A worker that does not leave costs the mercy and a second.
        value: `${inner + 6}${outer.name === 'stop_grace_period' ? 's' : ''}`,
        effect: 'the server can end its workers before it is ended itself',
        why: `Patiences must nest: ${outer.name} above ${name}, with a few seconds to spare.`,
      },
    };
  },
  function termReloads(settings) {
    const {version} = settings.instance;
    const server = settings.place('supervisord') ? 'supervisord' : settings.place('systemd') ? 'systemd' : null;
    const signal = settings.word(server === 'supervisord' ? 'stopsignal' : 'KillSignal').replace(/^SIG/, '');
    const uwsgi = settings.place('uwsgi');
    if (!settings.isUwsgi || server === null || uwsgi === null || signal !== 'TERM' || settings.isOn('die-on-term')) return null;
    if (version !== null && compareVersions(version, '2.1') >= 0) return null;
    if (settings.word('hook-master-start').includes('unix_signal:15') || settings.written('ExecStop') !== null) return null;
    return {
      id: 'term-reloads',
      title: `${server} stops uWSGI with SIGTERM, which makes it reload`,
      message:
        `Before 2.1, uWSGI takes SIGTERM as a request to reload unless die-on-term is set. ${server} sends SIGTERM, waits in ` +
        'vain and kills the master.',
      at: uwsgi,
      fix: {
        setting: 'die-on-term',
        section: 'uwsgi',
        value: 'true',
        effect: 'SIGTERM stops the server',
        why: 'Tried on uWSGI 2.0.21: without it SIGTERM reloaded, with it the server stopped.',
      },
    };
  },
  function requestOutlivesMercy(settings) {
    const harakiri = settings.written('harakiri');
    const [limit, mercy] = [settings.number('harakiri'), settings.number('worker-reload-mercy')];
    if (!settings.isUwsgi || harakiri === null || limit === null || mercy === null || limit <= mercy) return null;
    return {
      id: 'harakiri-above-mercy',
      title: 'harakiri is longer than worker-reload-mercy',
      message: `A request may take ${limit} s (harakiri), but a reload kills it after ${mercy} s (worker-reload-mercy).`,
      at: harakiri,
      fix: {
        setting: 'worker-reload-mercy',
        section: 'uwsgi',
        value: String(limit + 5),
        effect: 'every request that harakiri allows can end during a reload',
        why: 'Or lower harakiri, if requests need not take that long.',
      },
    };
  },
  function togetherRecycled(settings) {
    const limit = settings.written(settings.isGunicorn ? 'max_requests' : 'max-requests');
    const workers = settings.number('processes') ?? settings.number('workers') ?? 1;
    if (limit === null || !(Number(limit.value) > 0) || workers < 2) return null;
    const spread = settings.isGunicorn ? 'max_requests_jitter' : 'max-requests-delta';
    if ((settings.number(spread) ?? 0) > 0) return null;
    const since = settings.isGunicorn ? null : '2.0.29';
    // A version that the log does not tell may be too old for it.
    const isThere = since === null || (settings.instance.version !== null && mayHave(settings.instance, since));
    return {
      id: 'together-recycled',
      title: `${limit.name} without ${spread}`,
      message:
        `All ${workers} workers start together, share the load and reach ${limit.value} requests together; while they are ` +
        'replaced hardly anybody serves.',
      at: limit,
      fix: isThere
        ? {
            setting: spread,
            section: settings.isGunicorn ? 'gunicorn' : 'uwsgi',
            value: String(Math.max(1, Math.round(Number(limit.value) / 10))),
            effect: 'workers are replaced one after the other',
            since,
            why: settings.isGunicorn
              ? 'A random number up to this value is added to the limit of each worker.'
              : 'The number of the worker times this value is added to its limit. An older uWSGI ignores it in a file, and ' +
                'does not start with it under strict or on the command line.',
          }
        : {
            setting: null,
            section: null,
            value: null,
            effect: 'workers are replaced one after the other',
            why:
              `${spread} needs uWSGI 2.0.29; ${settings.instance.version ?? 'a version that this log does not tell'} runs here. max-worker-lifetime with ` +
              'max-worker-lifetime-delta (2.0.19) recycles by age instead.',
          },
    };
  },
  function chainKeepsCode(settings) {
    const touch = settings.written('touch-chain-reload') ?? settings.written('touch-workers-reload');
    if (!settings.isUwsgi || touch === null || settings.isOn('lazy-apps') || settings.isOn('lazy')) return null;
    return {
      id: 'chain-without-lazy-apps',
      title: `${touch.name} without lazy-apps`,
      message: 'The application is loaded once, before the fork. A reload of the workers alone starts them with the old code.',
      at: touch,
      fix: {
        setting: 'lazy-apps',
        section: 'uwsgi',
        value: 'true',
        effect: 'each worker loads the current code when it starts',
        why: 'It takes memory and start-up time per worker. Or use touch-reload.',
      },
    };
  },
  function dateEaten(settings) {
    const date = settings.written('log-date');
    const value = date?.value;
    // `true` asks for uWSGI's own format.
    if (!settings.isUwsgi || date === null || typeof value !== 'string' || value.includes('%')) return null;
    return {
      id: 'log-date-eaten',
      title: 'log-date loses its format: % is a variable in a uWSGI file',
      message: `uWSGI puts its own variables in for %Y, %d and the like when it reads the file; what is left is "${value}".`,
      at: date,
      fix: {
        setting: 'log-date',
        section: 'uwsgi',
        value: '%%Y-%%m-%%d %%H:%%M:%%S',
        effect: 'lines carry a date that can be read',
        why: 'A doubled %% stands for one.',
      },
    };
  },
  function noMaster(settings) {
    const master = settings.written('master');
    if (!settings.isUwsgi || master === null || settings.isOn('master')) return null;
    return {
      id: 'no-master',
      title: 'uWSGI runs without its master',
      message: 'Without a master nobody restarts a worker that dies, and there is no graceful reload.',
      at: master,
      fix: {
        setting: 'master',
        section: 'uwsgi',
        value: 'true',
        effect: 'workers are watched, restarted and reloaded',
        why: 'The master does not serve; it costs a process.',
      },
    };
  },
  function neverTimesOut(settings) {
    const timeout = settings.written('timeout');
    if (!settings.isGunicorn || timeout === null || Number(timeout.value) !== 0) return null;
    return {
      id: 'no-timeout',
      title: 'timeout = 0: a gunicorn worker that hangs stays for ever',
      message:
        'With timeout = 0 the arbiter never ends a worker that does not answer, and old workers of a HUP may stay for ever.',
      at: timeout,
      fix: {
        setting: 'timeout',
        section: 'gunicorn',
        value: '120',
        safety: 'may-cut-requests',
        effect: 'a worker that hangs is replaced after 120 s',
        why: 'Above the longest request. Workers of gevent and of threads give signs of life while requests run.',
      },
    };
  },
  function preloaded(settings) {
    const preload = settings.written('preload_app');
    if (!settings.isGunicorn || preload === null || !settings.isOn('preload_app')) return null;
    return {
      id: 'preload-keeps-code',
      title: 'preload_app: a HUP does not load new code',
      message:
        'The application is loaded once, in the arbiter. A HUP reads the configuration again and replaces the workers, with ' +
        'the application as it was.',
      at: preload,
      fix: {
        setting: null,
        section: null,
        value: null,
        effect: 'new code is loaded',
        why: 'Deploy with a restart, or with USR2 and TERM. Tried on gunicorn 20.1: HUP kept the old code, without preload_app not.',
      },
    };
  },
  function goesAway(settings) {
    const outer = settings.place('supervisord') ?? settings.place('systemd');
    const daemon = settings.written(settings.isGunicorn ? 'daemon' : 'daemonize');
    const isOff = daemon === null || daemon.value === false;
    if (outer === null || isOff || settings.word('Type') === 'forking') return null;
    return {
      id: 'daemon-under-supervisor',
      title: `${daemon.name} under ${outer.server}`,
      message: `The server goes into the background, and ${outer.server} takes that for its end.`,
      at: daemon,
      fix: {
        setting: null,
        section: null,
        value: null,
        effect: `${outer.server} watches the server itself`,
        why: `Remove ${daemon.name}; to keep the log in a file use logto (uWSGI), errorlog (gunicorn) or the supervisor's own.`,
      },
    };
  },
  function leavesBehind(settings) {
    const mode = settings.written('KillMode');
    if (mode === null || !/^(process|none)$/.test(String(mode.value))) return null;
    return {
      id: 'kill-mode',
      title: `KillMode=${mode.value} leaves workers behind`,
      message: 'At a stop systemd ends the main process only. Workers that outlive it hold the port at the next start.',
      at: mode,
      fix: {
        setting: 'KillMode',
        section: 'Service',
        value: 'mixed',
        effect: 'the master is asked first, and what is left after TimeoutStopSec is killed',
        why: 'With mixed the signal goes to the main process alone, which ends its workers in good order.',
      },
    };
  },
  function crashesOn313(settings) {
    const hook = settings.written('py-call-osafterfork');
    if (hook === null || !settings.isOn('py-call-osafterfork') || !/^3\.(1[3-9]|[2-9]\d)/.test(settings.word('python-version'))) {
      return null;
    }
    return {
      id: 'osafterfork',
      title: 'py-call-osafterfork ends every worker under Python 3.13',
      message: 'It calls a function that aborts the process in Python 3.13 and later.',
      at: hook,
      fix: {
        setting: 'py-call-uwsgi-fork-hooks',
        section: 'uwsgi',
        value: 'true',
        since: '2.0.21',
        effect: 'workers start, with the threads of the master forgotten',
        why: 'Remove py-call-osafterfork; this one does what it was for.',
      },
    };
  },
];

function describe(instance: Instance, {id, title, message, at, fix}: Smell): Finding | null {
  const line = 'heading' in at ? at.heading : at.where;
  const shows = 'heading' in at ? 'the settings are in this section' : `the configuration sets ${at.name} to ${at.value}`;
  if (line === null) return null;
  return {
    title,
    message: `${message} That is in the configuration; this log does not prove that it did harm.`,
    confidence: 'possible',
    instance: instance.id,
    ...NO_PROCESS,
    evidence: [proof(line, shows)],
    against: [],
    cannotSee: [],
    fixes: [{since: null, safety: 'safe', ...fix}],
    next: [],
    identity: [instanceName(instance), id],
  };
}
