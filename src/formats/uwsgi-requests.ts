/**
 * The request lines of uWSGI, by themselves: nearly every line of a log is one, so the scan looks for nothing else first. The plan is of
 * their plain form alone: to make more of WebAssembly takes memory that logs of that form would pay for.
 */
import matcher from '../../grammars/uwsgi.ohm?only=request,request-oddly-worded,request-with-memory,request-of-host';
import plan from '../../grammars/uwsgi.ohm?sweep=request&numbers=pid,requestNumber,duration,status&texts=started,unit';

export const requestMatcher = matcher;
export const requestPlan = plan;
