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
ALIKE = {"gateway": {"gateway", "mule", "spooler", "daemon", "emperor", "other", "worker", "program"}, "server": {"master", "emperor", "other"}}


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
        self.found = {}
        for one in report["instances"]:
            for process in one["processes"]:
                self.found.setdefault(process["pid"], []).append(process)
        self.log_end = max((instant(i["to"]) for i in report["inputs"] if i["to"]), default=None)
        self.forced = set(truth["forcedPids"])
        self.named = set(truth.get("namedAfterTheirEnd", []))
        # Starts, stops and reloads are told at the level info.
        self.is_mute = 'loglevel = "warning"' in run["configuration"]
        self.struck = {accident["pid"]: accident["what"] for accident in run["accidents"] if accident["pid"]}

    def say(self, what, text):
        self.wrong.append(f"{what}: {text}")

    def check(self):
        self.lines()
        self.processes()
        self.enders()
        self.requests()
        self.reloads()
        self.tasks()
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
                if self.is_told(pid) and not self.is_mute:
                    self.say("missing", f"{true['role']} {pid}")
                continue
            if len(found) > 1 and {p["role"] for p in found} != {"master", "program"}:
                self.say("twice", f"{pid} is in the report {len(found)} times")
            for process in found:
                self.process(true, process)
        for pid in self.found:
            if pid is not None and pid not in self.true:
                self.say("invented", f"{self.found[pid][0]['role']} {pid} never was")

    def is_told(self, pid):
        return any(str(pid) in log for log in self.run["logs"].values())

    def process(self, true, found):
        pid = true["pid"]
        role = true["role"]
        if found["role"] != role and found["role"] not in ALIKE.get(role, ()):
            self.say("role", f"{pid} is a {role} and is called {found['role']}")
        if role == "worker" and true["worker"] is not None and found["worker"] != true["worker"]:
            self.say("number", f"{pid} is worker {true['worker']} and is called {found['worker']}")
        started, ended = instant(true["startedAt"]), instant(true["endedAt"])
        # gunicorn's first word comes when a preloaded application has been imported.
        is_first_word_late = role == "master" and "preload_app = True" in self.run["configuration"]
        if not holds(found["startedAt"], started, 30 if is_first_word_late else SLACK):
            self.say("start", f"{role} {pid} started {true['startedAt']}, not {shown(found['startedAt'])}")
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

    def says(self, *texts):
        return any(text in log for text in texts for log in self.run["logs"].values())

    def is_said_to_leave(self, pid):
        """gunicorn's worker has left its loop, or its arbiter has; what the process does after that leaves no line of its own."""
        return self.says(f"Worker exiting (pid: {pid})", f"[{pid}] [INFO] Shutting down: Master")

    def ender(self, true):
        pid, signal = true["pid"], true["signal"]
        # uWSGI's master says so of whoever was asked to leave, whatever ended it.
        if pid in self.struck and self.says(f"killed successfully (pid: {pid})", f"worker {true['worker']} buried after"):
            return {"nobody-shown", "itself", *(["supervisor"] if pid in self.forced | self.named else [])}
        # gunicorn writes nothing of those that it kills at a graceful_timeout that only its settings tell.
        if pid in self.forced and self.is_said_to_leave(pid) and not self.says("graceful_timeout: "):
            return {"supervisor", "itself"}
        if pid in self.forced or pid in self.named:
            return {"supervisor"}
        if signal == "SIGABRT" and pid in self.struck:
            return {"nobody-shown", "itself"}  # it looks like a crash
        if signal in DEADLY:
            if pid in self.struck or true["killedBy"] == "outside":
                return {"nobody-shown"}
            return {"supervisor"}
        if self.struck.get(pid) in DEADLY:
            return {"nobody-shown", "itself"}
        return {"itself"}

    def enders(self):
        for pid, true in self.true.items():
            for found in self.found.get(pid, [])[:1]:
                answer, end = found["endedBy"], found["end"]
                who = f"{true['role']} {pid} (end {end}, cause {found['cause']})"
                if true["endedAt"] is None:
                    if answer is not None and end != "lost" and not self.is_said_to_leave(pid):
                        self.say("ender", f"{who} lives and is said to be ended by {answer}")
                elif answer is None:
                    if self.log_end is not None and instant(true["endedAt"]) < self.log_end - 2 and true["role"] in OWN_ROLES:
                        self.say("ender", f"{who} ended at {true['endedAt']} ({true['signal'] or true['exitCode']}) and is said to run")
                elif end == "lost":
                    if true["role"] == "worker" and not self.is_mute and self.says(*(line.format(pid) for line in TOLD_ENDS)):
                        self.say("lost", f"{who} ended at {true['endedAt']} ({true['signal'] or true['exitCode']})")
                elif self.is_mute and answer == "nobody-shown":
                    continue
                elif true["role"] in ("worker", "master", "mule") and answer not in self.ender(true):
                    self.say("ender", f"{who} was ended by {'/'.join(self.ender(true))} ({true['signal'] or true['exitCode']}), not {answer}")
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
            if said > answered.get(pid, 0) + own + self.run["unseenRequests"]:
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
            fits = [r for r in left if pids & {worker["oldPid"] for worker in r["workers"]}]
            if not fits:
                if self.is_mute:
                    continue
                self.say("reload", f"{reload['kind']} at {reload['askedAt']} of {sorted(pids)} is not in the report")
                continue
            # With `lazy` a reload of everything is one of the workers alone.
            also = {"workers"} if "\nlazy = true" in self.run["configuration"] else set()
            # One that was asked for before and had to wait (for a daemon) is done instead.
            also |= {kind for kind, asked in bare if asked < instant(reload["askedAt"])}
            alike = [fit for fit in fits if fit["kind"] in {reload["kind"]} | also]
            if not alike:
                self.say("kind", f"{fits[0]['id']} is {reload['kind']}, not {fits[0]['kind']}")
            for fit in alike or fits:
                self.durations(reload, fit)
        # Vassals stop by themselves where their emperor is gone.
        if "emperor" in self.run["configuration"] and any(each["what"] == "SIGKILL" for each in self.run["accidents"]):
            return
        known = {worker["oldPid"] for reload in true for worker in reload["workers"]}
        for fit in left:
            # "Reload of the workers alone, or a signal to this one worker".
            alone = [worker["oldPid"] for worker in fit["workers"]]
            if fit["kind"] == "workers" and not fit["beginningSeen"] and len(alone) == 1 and alone[0] in self.struck:
                continue
            if any(kind == fit["kind"] and holds(fit["startedAt"], asked, self.patience()) for kind, asked in bare):
                continue
            if not known & {worker["oldPid"] for worker in fit["workers"]}:
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
        total = instant(self.truth["recorded"]["end"]) - asked
        if bounds["min"] is not None and bounds["min"] > total + 2 * SLACK:
            self.say("duration", f"{found['id']} took {total:.1f} s at most, not at least {bounds['min']}")
        for worker in found["workers"]:
            wait, is_ = worker["wait"], waits.get(worker["oldPid"])
            if is_ is None:
                continue
            # The wait is over when the master has seen it, up to a second after the end; NO MERCY names also who has left.
            if worker["oldPid"] in self.named:
                continue
            if (wait["min"] is not None and is_ < wait["min"] - SLACK - 1) or (wait["max"] is not None and is_ > wait["max"] + SLACK):
                self.say("wait", f"{found['id']}: {worker['oldPid']} took {is_:.1f} s, not {wait['min']} .. {wait['max']}")
            true_end = self.true[worker["oldPid"]]
            if worker["end"] == "clean" and true_end["signal"] == "SIGKILL" and "itself" not in self.ender(true_end):
                self.say("reloaded end", f"{found['id']}: {worker['oldPid']} was killed, not clean")

    # -- tasks

    def tasks(self):
        true = {(task["id"], task["pid"]) for task in self.truth["tasks"]["orphaned"]}
        said = {(task["id"], task["pid"]) for task in self.report["tasks"]["orphaned"]}
        for task, pid in sorted(said - true):
            self.say("task", f"{task} of {pid} is no orphan")
        for task, pid in sorted(true - said):
            if self.is_told(pid):
                self.say("orphan untold", f"{task} of {pid}")

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
        if rule == "killed-from-outside":
            return None if self.is_mute or any(p["killedBy"] == "outside" for p in self.true.values()) else "nobody was killed from outside"
        if rule == "harakiri-kills" and "harakiri" not in conf:
            return "there is no harakiri"
        if rule == "old-code-kept" and "lazy" in conf and "preload" not in conf:
            return "each worker loads the application"
        if rule == "master-died" and not any(p["role"] in ("master", "emperor") and p["signal"] for p in self.true.values()):
            return "no master was killed"
        if rule == "worker-crashed":
            crashed = [p for p in ended if p["signal"] or p["exitCode"] not in (None, *IN_ORDER) or p["pid"] in self.struck]
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
        if rule == "mercy-ineffective" and "\nreload-mercy" not in conf:
            return "reload-mercy is not set"
        if rule == "evil-reload-kills" and "evil-reload" not in conf:
            return "there is no evil reload"
        if rule == "worker-timeout" and not self.truth["forcedPids"]:
            return "nobody was killed"
        return None

    def did(self, *paths):
        return any(note["event"] == "request" and note["uri"].startswith(paths) for note in self.run["notes"])


def iso(t):
    return datetime.fromtimestamp(t, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "")


def violations(truth, report, run):
    return Comparison(truth, report, run).check()
