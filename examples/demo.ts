/** Runs all examples, in about twelve seconds: `npm run demo`. */
import { blocking } from './blocking.js'
import { echo } from './echo.js'
import { runAll } from './example.js'
import { fourTasks } from './four-tasks.js'
import { numbers } from './numbers.js'
import { sampling } from './sampling.js'
import { watchdog } from './watchdog.js'

await runAll([numbers, echo, fourTasks, sampling, watchdog, blocking])
