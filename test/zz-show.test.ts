import {test} from 'vitest';
import {Recorder} from '/work/main/src/formats/recorder.ts';
import {readInputs} from '/work/main/src/source/inputs.ts';
import {buildTimeline} from '/work/main/src/timeline/build.ts';
import {readdirSync, existsSync, readFileSync} from 'node:fs';
const T = (x: any) => x === null ? '?' : new Date(x).toISOString().slice(11, 19);
const I = (i: any) => i === null ? 'null' : `${T(i.earliest)}..${T(i.latest)}`;
const D = (d: any) => d === null ? 'null' : `${d.min}..${d.max}`;
test('x', async () => {
  for (const f of (process.env.F ?? '').split(' ')) {
    const r = await Recorder.create('compiled');
    await readInputs([f], r);
    const t = buildTimeline(r.finish());
    console.log('=====', f, JSON.stringify(t.inputs[0]!.counts), JSON.stringify(t.inputs[0]!.oddities));
    for (const e of t.inputs[0]!.unknownExamples) console.log('  unknown', e.line, e.text);
    for (const i of t.instances) {
      console.log(i.id, i.version, 'master', i.masterPid, 'pred', i.predecessor, 'epochs', i.epochs.length, i.settings.filter(s => ['worker-reload-mercy','lazy-apps','max-requests','cores-per-worker'].includes(s.name)).map(s => s.name + '=' + s.value + '(' + s.from + ')').join(' '), 'stopped', i.stopped?.line);
      for (const p of i.processes) console.log('  ', p.role, p.worker, p.pid, 'start', I(p.startedAt), 'asked', p.asked ? `${I(p.asked.at)} by ${p.asked.by} ack ${p.asked.acknowledged} wait ${D(p.asked.wait)} after ${p.asked.requestsAfter}` : '-', 'forced', p.forced ? `${I(p.forced.at)} ${p.forced.deadline} x${p.forced.tries} pat ${D(p.forced.patience)}` : '-', 'end', p.end, p.cause, I(p.endedAt), 'sig', p.signal, 'reqs', p.requests, '->', p.successorPid);
    }
    for (const r of t.reloads) console.log('  ', r.id, r.instance, r.kind, r.trigger, I(r.startedAt), 'to', I(r.endedAt), D(r.duration), r.outcome, 'silence', D(r.silence), r.headless ? 'headless' : '', 'rep', r.repeated.length, r.workers.map(w => `${w.worker}:${w.oldPid}->${w.newPid} ${D(w.wait)} ${w.end} cb ${D(w.comeback)}`).join(' | '));
    console.log('  tasks', t.tasks.started, t.tasks.finished, t.tasks.orphaned.map(o => o.id + '@' + o.pid + ' ' + o.lostTo));
  }
});
