"""What must hold between a report of logdoctor (`--json`) and the truth of the run, whatever the run was."""

from datetime import datetime, timezone

SLACK = 1.1  # stamps are whole seconds, and the master sees a death a moment after the kernel
IN_ORDER = (0, 17, 30)  # the last two are uWSGI's own, for a reload and for a stop
DEADLY = {"SIGKILL", "SIGABRT"}
# What else a driver can ask for: another number of workers, another log file.
RELOADS = {"graceful", "brutal", "chain", "workers", "hup", "usr2", "stop"}
# Lines of uWSGI and gunicorn that tell the end of one process. gunicorn's "Worker exiting" comes before it.
TOLD_ENDS = (
    "killed successfully (pid: {})", "(pid: {}) died", "(pid: {}) annihilated",
    "Worker with pid {} was terminated", "Worker (pid:{}) exited", "Worker (pid:{}) was sent",
)
OWN_ROLES = {"worker", "mule", "spooler", "master"}
# The same in the truth and in the report: helpers that load no application cannot say what they are.
ALIKE = {"gateway": {"gateway", "mule", "spooler", "daemon", "emperor", "other", "worker", "program"}, "server": {"master", "emperor", "other"},
         "supervisor": {"master", "other"}, "emperor": {"other", "program"}, "program": {"master", "other", "program"},
         "master": {"program"}}
OUTER = {"supervisord", "systemd"}
LONGEST_IMPORT = 7  # seconds, of the applications that are drawn


def instant(text):
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=timezone.utc).timestamp()


def holds(interval, true, slack=SLACK):
    if interval is None or true is None:
        return True
    earliest, latest = instant(interval["earliest"]), instant(interval["latest"])
    return (earliest is None or true >= earliest - slack) and (latest is None or true < latest + slack)


def shown(interval):
    return f"{interval['earliest']} .. {interval['latest']}"


class Comparison:
    def __init__(self, truth, report, run):
        self.truth, self.report, self.run, self.wrong = truth, report, run, []
        self.true = {process["pid"]: process for process in truth["processes"]}
        self.found, self.likely = {}, []
        for one in report["instances"]:
            for process in one["processes"]:
                self.found.setdefault(process["pid"], []).append(process)
        self.masters = {one["id"]: one["masterPid"] for one in report["instances"]}
        # Of these no line tells whose they are, and the report says so.
        self.unproved = {pid for one in report["instances"] for pid in one.get("unproved", ())}
        self.is_whole = not run["isCut"]
        self.is_supervised = truth["server"].startswith(tuple(OUTER))
        self.log_end = max((instant(i["to"]) for i in report["inputs"] if i["to"]), default=None)
        self.forced = set(truth["forcedPids"])
        self.named = set(truth.get("namedAfterTheirEnd", []))
        # Starts, stops and reloads are told at the level info.
        self.is_mute = 'loglevel = "warning"' in run["configuration"]
        self.struck = {accident["pid"]: accident["what"] for accident in run["accidents"] if accident["pid"]}

    def say(self, what, text):
        self.wrong.append(f"{what}: {text}")

    def check(self):
        # Whose signals the recorder has missed, of him it does not know the killers.
        if any(p["signal"] == "SIGKILL" and p["killedBy"] == "outside" and p["pid"] not in self.struck for p in self.true.values()):
            return []
        self.lines()
        self.processes()
        self.owners()
        self.enders()
        self.requests()
        self.reloads()
        self.tasks()
        self.measures()
        self.old_code()
        self.findings()
        return self.wrong

    # -- lines

    def lines(self):
        for one in self.report["inputs"]:
            counts = one["counts"]
            if sum(counts.values()) != one["lines"]:
                self.say("lines", f"{one['name']}: {counts} make not {one['lines']}")
            for example in one["unknownExamples"]:
                self.say("unknown line", f"{one['name']}:{example['line']}: {example['text']}")

    # -- processes

    def processes(self):
        for pid, true in self.true.items():
            found = self.found.get(pid, [])
            if true["role"] in OWN_ROLES and not found:
                if self.is_whole and self.is_told(pid) and not self.is_mute:
                    self.say("missing", f"{true['role']} {pid}")
                continue
            if len(found) > 1 and {p["role"] for p in found} != {"master", "program"}:
                self.say("twice", f"{pid} is in the report {len(found)} times")
            for process in found:
                self.process(true, process)
        for pid in self.found:
            if pid is not None and pid not in self.true and not self.says(f"Killing process {pid} "):
                self.say("invented", f"{self.found[pid][0]['role']} {pid} never was")

    def is_told(self, pid):
        return any(str(pid) in log for log in self.run["logs"].values())

    def process(self, true, found):
        pid = true["pid"]
        role = true["role"]
        if found["role"] != role and found["role"] not in ALIKE.get(role, ()):
            self.say("role", f"{pid} is a {role} and is called {found['role']}")
        if role == "worker" and true["worker"] is not None and found["worker"] not in ((true["worker"],) if self.is_whole else (true["worker"], None)):
            self.say("number", f"{pid} is worker {true['worker']} and is called {found['worker']}")
        started, ended = instant(true["startedAt"]), instant(true["endedAt"])
        # gunicorn's first word comes when a preloaded application has been imported.
        is_first_word_late = role == "master" and "preload_app = True" in self.run["configuration"]
        if not holds(found["startedAt"], started, 30 if is_first_word_late else SLACK):
            self.say("start", f"{role} {pid} started {true['startedAt']}, not {shown(found['startedAt'])}")
        if pid in self.unproved or self.is_likely(found):
            return
        if found["end"] != "running" and ended is not None and pid not in self.named and not holds(found["endedAt"], ended):
            self.say("end", f"{role} {pid} ended {true['endedAt']}, not {shown(found['endedAt'])}")
        asked = [s for s in self.run["signals"] if s["target"] == pid and s["name"] in ("SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT")]
        asked += [{"t": accident["at"]} for accident in self.run["accidents"] if accident["pid"] == pid]
        # One that leaves by itself counts from there, whoever tells it later.
        leaves = any(f"[{pid}] [INFO] Autorestarting" in log or f"[{pid}] [INFO] Worker reloading" in log or f"process {pid} is done" in log for log in self.run["logs"].values())
        is_own = leaves or found["cause"] in ("max-requests", "max-lifetime", "cheaper")
        if asked and found["askedToStopAt"] and not is_own and not any(holds(found["askedToStopAt"], s["t"]) for s in asked):
            self.say("asked", f"{role} {pid} was asked at {[iso(s['t']) for s in asked][:3]}, not {shown(found['askedToStopAt'])}")
        if found["successorPid"] in self.true and self.true[found["successorPid"]]["worker"] is None:
            return  # it was not loaded, so that it could not say what it is
        later = [p["pid"] for p in self.truth["processes"] if p["worker"] and p["worker"] == true["worker"]
                 and p["parent"] == true["parent"] and instant(p["startedAt"]) > started]
        if found["successorPid"] is not None and true["worker"] and later[:1] != [found["successorPid"]]:
            self.say("successor", f"{pid} was followed by {later[:1]}, not {found['successorPid']}")

    # -- whose they are

    def owners(self):
        """Each worker is under the master that started it, and what is said of a server is of that one."""
        for one in self.report["instances"]:
            for process in one["processes"]:
                self.owner(one["id"], process["pid"], f"{process['role']} {process['pid']}")
        for reload in self.report["reloads"]:
            for worker in reload["workers"] if not reload["rivals"] else ():
                self.owner(reload["instance"], worker["oldPid"], f"{reload['id']} ({reload['kind']})")
        for finding in self.report["findings"]:
            for pid in finding["pids"]:
                self.owner(finding["instance"], pid, f"{finding['rule']} ({finding['confidence']})")

    def owner(self, instance, pid, what):
        true, master = self.true.get(pid), self.masters.get(instance)
        if true is None or true["role"] != "worker" or master is None or pid in self.unproved or true["parent"] == master:
            return
        wrong = f"owner: {what} is of the master {true['parent']}, not of {master}"
        if self.true.get(master, {}).get("role") == "master" and wrong not in self.wrong:
            self.wrong.append(wrong)

    def says(self, *texts):
        return any(text in log for text in texts for log in self.run["logs"].values())

    def is_said_to_leave(self, pid):
        """gunicorn's worker has left its loop, or its arbiter has; what the process does after that leaves no line of its own."""
        return self.says(f"Worker exiting (pid: {pid})", f"[{pid}] [INFO] Shutting down: Master")

    def ender(self, true):
        pid, signal = true["pid"], true["signal"]
        if true["killedBy"] in OUTER:
            # Whom a kill of the whole group hit along with the master, no line tells.
            if signal not in DEADLY:
                return {"outer-supervisor", "nobody-shown", "itself"}
            return {"outer-supervisor"} if true["role"] == "master" and self.is_whole else {"outer-supervisor", "nobody-shown"}
        # uWSGI's master says so of whoever was asked to leave, whatever ended it.
        if pid in self.struck and self.says(f"killed successfully (pid: {pid})", f"worker {true['worker']} buried after"):
            return {"nobody-shown", "itself", *(["supervisor"] if pid in self.forced | self.named else [])}
        # gunicorn writes nothing of those that it kills at a graceful_timeout that only its settings tell.
        if pid in self.forced and self.is_said_to_leave(pid) and not self.says("graceful_timeout: "):
            return {"supervisor", "itself"}
        if pid in self.struck and self.is_said_to_leave(pid):
            return {"nobody-shown", "itself"}
        # Just before graceful_timeout is over a kill from outside looks like the arbiter's.
        if pid in self.struck and "graceful_timeout" in self.run["configuration"] and self.says(f"Worker with pid {pid} was terminated due to signal 9"):
            return {"nobody-shown", "supervisor"}
        if pid in self.forced or pid in self.named:
            return {"supervisor"}
        if signal == "SIGABRT" and pid in self.struck:
            return {"nobody-shown", "itself"}  # it looks like a crash
        if signal and signal not in DEADLY and signal == self.struck.get(pid):
            return {"nobody-shown", "itself"}
        if signal in DEADLY:
            if pid in self.struck or true["killedBy"] == "outside":
                return {"nobody-shown"}
            return {"supervisor"}
        if self.struck.get(pid) in DEADLY:
            return {"nobody-shown", "itself"}
        return {"itself"}

    def own(self, pid):
        """As its own server tells of it, before its outer supervisor."""
        return sorted(self.found.get(pid, []), key=lambda process: process["role"] == "program")

    def is_orphan(self, true):
        """It outlived its master: nobody tells of its end."""
        parent = self.true.get(true["parent"])
        return bool(parent and parent["endedAt"] and true["endedAt"] and parent["endedAt"] < true["endedAt"])

    def is_likely(self, found):
        """No line owns up to the kill of a worker that had left its loop: the report calls it probable."""
        return found["end"] == "forced" and found["ownedBy"] is None

    def enders(self):
        for pid, true in self.true.items():
            for found in self.own(pid)[:1] if pid not in self.unproved else ():
                answer, end = found["endedBy"], found["end"]
                who = f"{true['role']} {pid} (end {end}, cause {found['cause']})"
                if true["endedAt"] is None:
                    if answer is not None and end != "lost" and not self.is_said_to_leave(pid):
                        self.say("ender", f"{who} lives and is said to be ended by {answer}")
                elif answer is None:
                    # Who writes through a master that is gone, or has nobody above him any more, leaves no line.
                    if self.is_orphan(true) or "log-master" in self.run["configuration"] and set(self.struck) & {pid, true["parent"]}:
                        continue
                    if self.is_whole and self.log_end is not None and instant(true["endedAt"]) < self.log_end - 2 and true["role"] in OWN_ROLES:
                        self.say("ender", f"{who} ended at {true['endedAt']} ({true['signal'] or true['exitCode']}) and is said to run")
                elif end == "lost":
                    if true["role"] == "worker" and not self.is_mute and self.says(*(line.format(pid) for line in TOLD_ENDS)):
                        self.say("lost", f"{who} ended at {true['endedAt']} ({true['signal'] or true['exitCode']})")
                elif self.is_mute and answer == "nobody-shown":
                    continue
                elif self.is_likely(found):
                    self.likely.append(true["signal"] == "SIGKILL")
                elif true["role"] in ("worker", "master", "mule") and answer not in self.ender(true):
                    self.say("ender", f"{who} was ended by {'/'.join(self.ender(true))} ({true['signal'] or true['exitCode']}), not {answer}")
                if found["killedBy"] in OUTER and true["killedBy"] not in OUTER:
                    self.say("killed by", f"{who} was not killed by {found['killedBy']}")
                if found["deadline"] == "harakiri" and pid in self.forced or found["deadline"] == "mercy" and pid in self.truth["harakiriPids"]:
                    self.say("deadline", f"{who} is said to have met {found['deadline']}")

    # -- requests

    def requests(self):
        if not self.run["countsRequests"]:
            return
        answered = {}
        for note in self.run["notes"]:
            if note["event"] == "answered":
                answered[note["pid"]] = answered.get(note["pid"], 0) + 1
        for pid, processes in self.found.items():
            said = sum(process["requests"] for process in processes)
            # Without an application uWSGI answers itself.
            own = sum(log.count(f"[pid: {pid}|app: -1|") for log in self.run["logs"].values())
            if said > answered.get(pid, 0) + own:
                self.say("requests", f"{pid} answered {answered.get(pid, 0)}, not {said}")

    # -- reloads

    def reloads(self):
        true = [reload for reload in self.truth["reloads"] if reload["workers"] and reload["kind"] in RELOADS]
        said = [reload for reload in self.report["reloads"] if reload["workers"]]
        left = list(said)
        # Whom it asked, the recorder does not always see.
        bare = [(reload["kind"], instant(reload["askedAt"])) for reload in self.truth["reloads"] if not reload["workers"]]
        for reload in true:
            pids = {worker["oldPid"] for worker in reload["workers"]}
            # Those that had left their loop before are not asked once more, as far as any line tells.
            if all(self.is_said_to_leave(pid) for pid in pids) and not any(pids & {w["oldPid"] for w in r["workers"]} for r in left):
                continue
            fits = [r for r in left if pids & {worker["oldPid"] for worker in r["workers"]}]
            if not fits:
                if self.is_mute or not self.is_whole or self.is_supervised:
                    continue
                self.say("reload", f"{reload['kind']} at {reload['askedAt']} of {sorted(pids)} is not in the report")
                continue
            # With `lazy` a reload of everything is one of the workers alone.
            also = {"workers"} if "\nlazy = true" in self.run["configuration"] else set()
            # One that was asked for before and had to wait (for a daemon) is done instead.
            also |= {kind for kind, asked in bare if asked < instant(reload["askedAt"])}
            # One that overtakes it may be the only one of which a line tells: with `lazy` workers that still load say nothing.
            ends = [instant(worker["endedAt"]) for worker in reload["workers"] if worker["endedAt"]]
            also |= {kind for kind, asked in bare if ends and instant(reload["askedAt"]) < asked < max(ends)}
            alike = [fit for fit in fits if fit["kind"] == reload["kind"]] or [fit for fit in fits if fit["kind"] in also]
            # What stops a program is a reload where it takes its signal so.
            excused = self.is_supervised and reload["kind"] == "stop" or any(fit["rivals"] or not fit["beginningSeen"] and not self.is_whole for fit in fits)
            excused = excused or pids <= self.unproved
            if not alike and not excused:
                self.say("kind", f"{fits[0]['id']} is {reload['kind']}, not {fits[0]['kind']}")
            for fit in alike or fits:
                self.durations(reload, fit)
        # Vassals stop by themselves where their emperor is gone.
        if "emperor" in self.run["configuration"] and any(each["what"] == "SIGKILL" for each in self.run["accidents"]):
            return
        known = {worker["oldPid"] for reload in true for worker in reload["workers"]}
        for fit in left:
            if not any(worker["oldPid"] for worker in fit["workers"]):
                continue
            # "Reload of the workers alone, or a signal to this one worker".
            alone = [worker["oldPid"] for worker in fit["workers"]]
            if fit["kind"] == "workers" and not fit["beginningSeen"] and len(alone) == 1 and alone[0] in self.struck:
                continue
            if any(kind == fit["kind"] and holds(fit["startedAt"], asked, self.patience()) for kind, asked in bare):
                continue
            if not known & {worker["oldPid"] for worker in fit["workers"]} and not fit["rivals"] and not {w["oldPid"] for w in fit["workers"]} <= self.unproved:
                self.say("reload", f"{fit['id']} ({fit['kind']}) of {[w['oldPid'] for w in fit['workers']]} was never asked for")

    def patience(self):
        """Seconds from the driver's request to the reload: an emperor looks after its vassals every few seconds."""
        return 5 if "emperor" in self.run["configuration"] else 2.2

    def durations(self, true, found):
        asked = instant(true["askedAt"])
        if not holds(found["startedAt"], asked, 2.2) and not any(holds(found["startedAt"], instant(w["askedAt"])) for w in true["workers"]):
            self.say("reload start", f"{found['id']} was asked for at {true['askedAt']}, not {shown(found['startedAt'])}")
        waits = {worker["oldPid"]: instant(worker["endedAt"]) - instant(worker["askedAt"])
                 for worker in true["workers"] if worker["endedAt"]}
        longest = max(waits.values(), default=0)
        bounds = found["duration"]
        if bounds["max"] is not None and found["outcome"] == "completed" and longest > bounds["max"] + SLACK:
            self.say("duration", f"{found['id']} took {longest:.1f} s at least, not at most {bounds['max']}")
        total = self.over_by(true) - asked
        alive = [w["oldPid"] for w in found["workers"] if w["oldPid"] in self.true and self.true[w["oldPid"]]["endedAt"] is None]
        alive = [pid for pid in alive if not self.is_said_to_leave(pid) and pid not in self.unproved]
        if found["outcome"] == "completed" and alive:
            self.say("outcome", f"{found['id']} ({found['kind']}) is called completed, and {alive} live")
        if bounds["min"] is not None and bounds["min"] > total + 2 * SLACK:
            self.say("duration", f"{found['id']} took {total:.1f} s at most, not at least {bounds['min']}")
        for worker in found["workers"]:
            wait, is_ = worker["wait"], waits.get(worker["oldPid"])
            if is_ is None:
                continue
            # The wait is over when the master has seen it, up to a second after the end; NO MERCY names also who has left.
            if worker["oldPid"] in self.named | self.unproved or any(self.is_likely(each) for each in self.own(worker["oldPid"])):
                continue
            if (wait["min"] is not None and is_ < wait["min"] - SLACK - 1) or (wait["max"] is not None and is_ > wait["max"] + SLACK):
                self.say("wait", f"{found['id']}: {worker['oldPid']} took {is_:.1f} s, not {wait['min']} .. {wait['max']}")
            true_end = self.true[worker["oldPid"]]
            if worker["end"] == "clean" and true_end["signal"] == "SIGKILL" and "itself" not in self.ender(true_end):
                self.say("reloaded end", f"{found['id']}: {worker['oldPid']} was killed, not clean")

    def over_by(self, true):
        """When a reload was over at the latest: its old workers and, at a stop, their master gone, the new ones loaded."""
        end = instant(self.truth["recorded"]["end"])
        masters = {self.true[worker["oldPid"]]["parent"] for worker in true["workers"]}
        own = [self.true[master]["endedAt"] for master in masters] if true["kind"] == "stop" else [
            self.true[worker["newPid"]]["startedAt"] if worker["newPid"] else None for worker in true["workers"]]
        times = [instant(time) for time in [*own, *(worker["endedAt"] for worker in true["workers"])]]
        if None in times or true["kind"] not in ("stop", "hup", "graceful", "brutal", "workers"):
            return end
        return min(end, max(times) + (0 if true["kind"] == "stop" else LONGEST_IMPORT))

    # -- tasks

    def tasks(self):
        # That one is begun anew no log tells that ends before.
        begun = [] if self.is_whole else self.truth["tasks"]["retried"]
        true = {(task["id"], task["pid"]) for task in [*self.truth["tasks"]["orphaned"], *begun]}
        said = {(task["id"], task["pid"]) for task in self.report["tasks"]["orphaned"]}
        spoolers = {pid for pid, process in self.true.items() if process["role"] == "spooler"}
        for task, pid in sorted(said - true, key=str):
            if pid in spoolers and str(task).startswith("uwsgi_spoolfile"):
                continue
            self.say("task", f"{task} of {pid} is no orphan")
        for task, pid in sorted(true - said):
            # Where no line tells that the process is gone, none tells that the task is.
            if self.is_whole and any(found["end"] not in ("running", "lost") for found in self.found.get(pid, [])):
                self.say("orphan untold", f"{task} of {pid}")

    # -- measures

    def measures(self):
        value = {measure["id"]: measure["value"] for measure in self.report["measures"] if measure["value"] is not None}
        killed = {p["pid"] for p in self.true.values() if p["signal"] in DEADLY and p["killedBy"] not in (None, "outside")}
        killed |= {pid for pid in self.struck if self.says(f"Worker with pid {pid} was terminated due to signal 9")}
        for name, true in (("forced-kills", killed | self.forced | self.named), ("orphaned-tasks", self.truth["tasks"]["orphaned"])):
            if name == "orphaned-tasks" and not self.is_whole:
                continue
            # systemd names threads too, where it kills a group.
            told = sum(self.says(f"Killing process {pid} ") for pid in self.found if pid not in self.true)
            if name in value and value[name]["min"] > len(true) + (told if name == "forced-kills" else 0):
                self.say("measure", f"{name}: at least {value[name]['min']}, really {len(true)}")
        told = [pid for pid in self.forced if pid in self.found and self.true[pid]["worker"]] if self.run["countsRequests"] and self.is_whole and not self.is_mute else []
        if "forced-kills" in value and value["forced-kills"]["max"] is not None and value["forced-kills"]["max"] < len(told):
            self.say("measure", f"forced-kills: at most {value['forced-kills']['max']}, really {len(told)}")
        if "downtime" in value:
            self.downtime(value["downtime"])

    def downtime(self, said):
        """Where one service is in the log. A worker surely serves from its import to when it is asked, and surely does not where it is not there."""
        workers = [p for p in self.true.values() if p["role"] == "worker"]
        if len({self.root(p) for p in workers}) != 1 or not workers:
            return
        asked = {}
        for signal in self.run["signals"]:
            if signal["name"] in ("SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT", "SIGWINCH", "SIGUSR1", "SIGABRT"):
                asked.setdefault(signal["target"], signal["t"])
        for accident in self.run["accidents"]:
            asked[accident["pid"]] = min(asked.get(accident["pid"], accident["at"]), accident["at"])
        for note in self.run["notes"]:
            if note["event"] == "leaving":
                asked[note["pid"]] = min(asked.get(note["pid"], note["t"]), note["t"])
        for pid in self.true:
            if self.says(f"[{pid}] [INFO] Autorestarting", f"[{pid}] [INFO] Worker reloading"):
                asked[pid] = 0  # from when on, the log alone knows
        end = instant(self.truth["recorded"]["end"])
        begin = min(instant(p["startedAt"]) for p in workers)
        there = [(instant(p["startedAt"]), instant(p["endedAt"]) or end) for p in workers]
        slow = LONGEST_IMPORT if "slow-import" in self.run["pieces"] else 1.5
        sure = [(start + slow, min(stop, asked.get(p["pid"], stop))) for p, (start, stop) in zip(workers, there)]
        gaps, most = uncovered(sure, begin, end)
        if said["min"] > most + SLACK * gaps:
            self.say("downtime", f"at least {said['min']} s, really {most:.1f} s at most")
        stops = [instant(r["askedAt"]) for r in self.truth["reloads"] if r["kind"] == "stop"]
        if self.is_whole and said["max"] is not None:
            gaps, least = uncovered(there, begin, min([end, *stops, self.log_end or end]))
            if said["max"] < least - SLACK * gaps:
                self.say("downtime", f"at most {said['max']} s, really {least:.1f} s at least")

    def root(self, process):
        """Whom a service belongs to: instances beside one another have a parent each, those that follow one another need not."""
        parent = self.true.get(process["parent"])
        above = parent and self.true.get(parent["parent"])
        return self.is_supervised or (above["pid"] if above and above["role"] == "master" else process["parent"])

    # -- code

    def loads_itself(self, pid):
        return any(f"pid: {pid} (default app)" in log for log in self.run["logs"].values())

    def old_code(self):
        if not self.is_whole or self.is_mute or not self.run["countsRequests"]:
            return
        told = {pid for finding in self.report["findings"] if finding["rule"] == "old-code-kept" for pid in finding["pids"]}
        served = {pid for pid, found in self.found.items() if sum(process["requests"] for process in found)}
        for reload in self.truth["reloads"]:
            # A full reload that overtook it loaded the application anew.
            full = [instant(r["askedAt"]) for r in self.truth["reloads"] if r["kind"] in ("graceful", "brutal", "stop")]
            new = [w["newPid"] for w in reload["workers"] if w["newPid"] in served and not self.loads_itself(w["newPid"])
                   and not any(instant(reload["askedAt"]) <= at <= instant(self.true[w["newPid"]]["startedAt"]) for at in full)]
            if reload["kind"] in ("workers", "chain") and new and not told & set(new) and "lazy" not in self.run["configuration"]:
                self.say("old code untold", f"{new} of the {reload['kind']} at {reload['askedAt']}")

    # -- findings

    def findings(self):
        for finding in self.report["findings"]:
            rule, confidence = finding["rule"], finding["confidence"]
            words = f"{rule} ({finding['severity']}, {confidence}): {finding['title']}: pids {finding['pids'][:6]}"
            if finding["severity"] == "error" and not self.had_trouble():
                self.say("error without trouble", words)
            reason = self.contradicts(rule, finding)
            if reason:
                self.say(f"{confidence} but untrue", f"{words}: {reason}")

    def had_trouble(self):
        helpers = {"gateway", "spooler"}
        return bool(
            self.forced or self.named or self.run["accidents"] or self.truth["requestsCut"] or self.truth["tasks"]["orphaned"]
            or any(p["signal"] and p["role"] not in helpers for p in self.true.values())
            or any(p["exitCode"] not in (None, *IN_ORDER) and (p["role"] not in helpers or "emperor" in self.run["configuration"])
                   for p in self.true.values()))

    def contradicts(self, rule, finding):
        """Why the truth does not allow this finding; None where it does, or where it says nothing of it."""
        pids = [pid for pid in finding["pids"] if pid in self.true]
        pieces, conf = self.run["pieces"], self.run["configuration"]
        ended = [self.true[pid] for pid in pids]
        if finding["severity"] == "error" and rule in ("app-threads-block-shutdown", "forced-kill-undecided", "recycle-blocked"):
            free = [p["pid"] for p in ended if p["endedAt"] and p["signal"] not in DEADLY and p["pid"] not in self.named | self.forced]
            if free and len(free) == len(ended):
                return f"{free} left by themselves"
        if rule == "app-threads-block-shutdown" and not set(pieces) & {"thread", "idle-executor", "atexit-sleeps", "dots", "speaking-thread"} and not self.did("/watch", "/task"):
            return "nothing in the application could hold them"
        if rule == "request-blocks-shutdown" and not self.truth["requestsCut"] and not self.did("/export"):
            return "no request was under way"
        if rule == "outer-timeout-too-short" and not self.is_supervised:
            return "nobody stands above it"
        if rule == "killed-from-outside":
            return None if self.is_mute or any(p["killedBy"] == "outside" for p in self.true.values()) else "nobody was killed from outside"
        if rule == "harakiri-kills" and "harakiri" not in conf:
            return "there is no harakiri"
        if rule == "old-code-kept" and (any(self.loads_itself(pid) for pid in pids) or not pids and "lazy" in conf and "preload" not in conf):
            return "each worker loads the application"
        if rule == "old-code-kept" and finding["confidence"] == "certain" and "processes" in conf and set(pids) <= {
                w["newPid"] for r in self.truth["reloads"] if r["kind"] in ("graceful", "brutal") for w in r["workers"]}:
            return "the master loaded the application anew"
        if rule == "master-died" and not any(p["role"] in ("master", "emperor") and p["signal"] for p in self.true.values()):
            return "no master was killed"
        if rule == "worker-crashed":
            crashed = [p for p in ended if self.says(f"process {p['pid']} got Segmentation Fault") or p["signal"] or p["exitCode"] not in (None, *IN_ORDER) or p["pid"] in self.struck]
            if ended and not crashed:
                return f"they left with {[p['exitCode'] for p in ended]}"
        if rule == "worker-never-came-back":
            alive = {p["worker"] for p in self.true.values() if p["role"] == "worker" and p["endedAt"] is None}
            if finding["workers"] and set(finding["workers"]) <= alive:
                return "they run"
        if rule == "reloaded-twice" and sum(reload["kind"] in RELOADS for reload in self.truth["reloads"]) < 2:
            return "there was one reload"
        if rule == "threads-lost-on-fork" and not set(pieces) & {"speaking-thread", "dots"}:
            return "no thread speaks"
        if rule == "mercy-ineffective" and "\nreload-mercy" not in conf and "graceful_timeout" not in conf:
            return "reload-mercy is not set"
        if rule == "evil-reload-kills" and "evil-reload" not in conf:
            return "there is no evil reload"
        if rule == "worker-timeout" and not self.truth["forcedPids"]:
            return "nobody was killed"
        return None

    def did(self, *paths):
        return any(note["event"] == "request" and note["uri"].startswith(paths) for note in self.run["notes"])


def uncovered(spans, begin, end):
    """How many gaps the spans leave between two times, and how long they are together."""
    gaps, total, at = 0, 0.0, begin
    for start, stop in sorted(span for span in spans if span[0] < span[1]):
        if start > at:
            gaps, total = gaps + 1, total + max(0, min(start, end) - at)
        at = max(at, stop)
    return (gaps + 1, total + end - at) if at < end else (gaps, total)


def iso(t):
    return datetime.fromtimestamp(t, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "")


def violations(truth, report, run):
    return Comparison(truth, report, run).check()
