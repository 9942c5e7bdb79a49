declare module '*.ohm' {
  const matcher: import('./matcher.ts').Matcher;
  export default matcher;
}

declare module '*.ohm?only=request,request-oddly-worded,request-with-memory,request-of-host' {
  const matcher: import('./matcher.ts').Matcher;
  export default matcher;
}

declare module '*.ohm?sweep=request&numbers=pid,requestNumber,duration,status&texts=started,unit' {
  const plan: import('./sweep.ts').SweepPlan;
  export default plan;
}
