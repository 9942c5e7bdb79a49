/** Gives a function that works out its answer once for each object that it is asked about, and keeps it as long as the object lives. */
export function oncePer<Subject extends object, Answer>(workOut: (subject: Subject) => Answer): (subject: Subject) => Answer {
  const known = new WeakMap<Subject, {readonly answer: Answer}>();
  return (subject) => {
    const before = known.get(subject);
    if (before !== undefined) return before.answer;
    const answer = workOut(subject);
    known.set(subject, {answer});
    return answer;
  };
}
