/** The request lines of uWSGI, by themselves: nearly every line of a log is one, so the scan looks for nothing else first. */
import matcher from '../../grammars/uwsgi.ohm?only=request,request-oddly-worded,request-with-memory,request-of-host';

export const requestMatcher = matcher;
