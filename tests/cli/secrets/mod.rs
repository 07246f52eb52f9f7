//! No secret key, session token, MFA code or seed is printed, recorded or passed to another program. Exceptions: stdout
//! of `credentials`, the environment of the command of `exec`, and cached sessions.
//!
//! | module | what it runs |
//! |---|---|
//! | `matrix` | all commands in all output modes, on working and on broken links |
//! | `children` | child processes that inspect `/proc` |
//! | `runs` | runs with more specific assertions |
//! | `search` | the search for secrets |

mod children;
mod matrix;
mod runs;
mod search;

use search::Secrets;
