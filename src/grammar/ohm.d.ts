declare module '*.ohm' {
  const matcher: import('./matcher.ts').Matcher;
  export default matcher;
}
