/** What the build writes down about the commands. */
export {factsOf} from './facts.ts';
export {manPage} from './man.ts';
export {markdownPage} from './markdown.ts';
