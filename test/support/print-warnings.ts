import { printOwnWarnings } from '../../src/cli/warnings.js';
import { ENGINE_WARNING } from '../../src/tracing/engine-choice.js';

printOwnWarnings();
process.emitWarning('a slower engine is used', ENGINE_WARNING);
process.emitWarning('something else', { code: 'OTHER' });
