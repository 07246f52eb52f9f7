//! No secret key, session token, MFA code or seed is printed, recorded or handed to another program, whatever happens, but
//! where it is asked for: on the stdout of `credentials`, in the environment of the command of `exec`, and in kept sessions.
//!
//! | module | what it runs |
//! |---|---|
//! | `matrix` | every command there is, in every mode, on accounts where everything works and where something is wrong |
//! | `children` | programs that look around in `/proc` |
//! | `runs` | runs of which more is known |
//! | `search` | what is looked for, and where |

mod children;
mod matrix;
mod runs;
mod search;

use search::Secrets;
