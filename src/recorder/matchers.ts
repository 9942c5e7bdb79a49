import envelopeMatcher from '../../grammars/envelope.ohm';
import vocabulary from '../../grammars/log.ohm?vocabulary=uwsgi,gunicorn,supervisord,systemd,kernel,uvicorn,daphne,hypercorn,celery,puma,unicorn,php-fpm,heroku,hosting,container,procfile,kubernetes,nginx,nginx-unit,apache,waitress,systemctl,ps,application';
import originMatcher from '../../grammars/origin.ohm';
import processMatcher from '../../grammars/process.ohm';
import type {EnvelopeChoice} from '../envelope/names.ts';
import type {Format} from '../formats/format.ts';
import {locateGrammar} from '../grammar/locate.ts';
import type {Matcher} from '../grammar/matcher.ts';
import {imageFromText, type VocabularyImage} from '../grammar/vocabulary-image.ts';
import type {Engine} from './choices.ts';

export interface Matchers {
  /** `requests` finds the request lines, alone if it can. */
  readonly of: (format: Format) => {readonly matcher: Matcher; readonly requests: Matcher};
  /** The texts of all formats that somebody may be known by, as the build has made it, by {@link numberOf}; null where rules are others. */
  readonly image: VocabularyImage | null;
  readonly envelope: Matcher;
  readonly origin: Matcher;
  /** Where a line of an application tells its process. */
  readonly process: Matcher;
}

/**
 * The matchers that a recorder asks; of the envelopes only those that may be peeled. Formats with rules of their own
 * are compiled anew.
 */
export async function matchersOf(engine: Engine, choice: EnvelopeChoice | null, formats: readonly Format[]): Promise<Matchers> {
  const image = engine === 'compiled' && formats.every(({rules}) => rules === undefined) ? imageFromText(vocabulary) : null;
  if (image !== null && choice === null)
    return {
      of: fromTheBuild,
      image,
      envelope: envelopeMatcher,
      origin: originMatcher,
      process: processMatcher,
    };
  const [{interpret}, {compileNow}, {loadGrammar}] = await Promise.all([
    import('../grammar/interpret.ts'),
    import('../grammar/compile.ts'),
    import('../grammar/load.ts'),
  ]);
  const make = engine === 'ohm' ? interpret : compileNow;
  const envelope = (file: string, compiled: Matcher) =>
    engine === 'compiled' && choice === null ? compiled : make(loadGrammar(locateGrammar(file)), choice?.asks);
  return {
    of: (format) => {
      const {grammarFile, rules} = format;
      if (engine === 'compiled' && rules === undefined) return fromTheBuild(format);
      const grammar = loadGrammar(locateGrammar(grammarFile), rules?.text);
      const matcher = make(grammar, (message) => rules?.instead.includes(message) !== true);
      return {matcher, requests: matcher};
    },
    image,
    envelope: envelope('envelope.ohm', envelopeMatcher),
    origin: envelope('origin.ohm', originMatcher),
    process: engine === 'compiled' ? processMatcher : interpret(loadGrammar(locateGrammar('process.ohm'))),
  };
}

function fromTheBuild({matcher, requestMatcher = matcher}: Format): {matcher: Matcher; requests: Matcher} {
  return {matcher, requests: requestMatcher};
}
