/**
 * What uWSGI 2.0 writes when it starts, up to the line of the master.
 *
 * @param {{stamp: string, isReload: boolean, masterPid: number, cores: number, mercy: number}} start
 * @returns {string[]}
 */
export function banner({stamp, isReload, masterPid, cores, mercy}) {
  const asRoot = [
    'uWSGI running as root, you can use --uid/--gid/--chroot options',
    '*** WARNING: you are running uWSGI as root !!! (use the --uid flag) *** ',
  ];
  return [
    '[uWSGI] getting INI configuration from uwsgi.ini',
    `*** Starting uWSGI 2.0.21-debian (64bit) on [${stamp}] ***`,
    'compiled with version: 12.2.0 on 19 May 2023 13:59:29',
    'os: Linux-6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)',
    'nodename: web1',
    'machine: x86_64',
    'clock source: unix',
    'pcre jit disabled',
    'detected number of CPU cores: 16',
    'current working directory: /srv/shop',
    'detected binary path: /usr/bin/uwsgi-core',
    ...asRoot,
    'your processes number limit is 96365',
    'your memory page size is 4096 bytes',
    'detected max file descriptor number: 20000',
    'lock engine: pthread robust mutexes',
    'thunder lock: disabled (you can enable it with --thunder-lock)',
    `uwsgi socket 0 ${isReload ? 'inherited INET' : 'bound to TCP'} address 127.0.0.1:8000 fd 3`,
    ...asRoot,
    'Python version: 3.11.2 (main, Apr 28 2025, 14:11:48) [GCC 12.2.0]',
    'Python main interpreter initialized at 0x7fd11b560018',
    ...asRoot,
    'python threads support enabled',
    'your server socket listen backlog is limited to 100 connections',
    `your mercy for graceful operations on workers is ${mercy} seconds`,
    `mapped 5334064 bytes (5209 KB) for ${cores} cores`,
    '*** Operational MODE: preforking+threaded ***',
    `WSGI app 0 (mountpoint='') ready in 2 seconds on interpreter 0x7fd11b560018 pid: ${masterPid} (default app)`,
    ...asRoot,
    '*** uWSGI is running in multiple interpreter mode ***',
    `${isReload ? 'gracefully (RE)spawned' : 'spawned'} uWSGI master process (pid: ${masterPid})`,
  ];
}
