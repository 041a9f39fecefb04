/** All examples, in about ten seconds. `npm run demo` */
import { blocking } from './blocking.js'
import { echo } from './echo.js'
import { runAll } from './example.js'
import { fourTasks } from './four-tasks.js'
import { sampling } from './sampling.js'
import { watchdog } from './watchdog.js'

await runAll([echo, fourTasks, sampling, watchdog, blocking])
