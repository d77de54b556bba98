//! Limit of open files.

/// Soft limit if the hard limit is infinite. macOS refuses a higher one (`OPEN_MAX`).
#[cfg(unix)]
const INFINITE_LIMIT: u64 = 10_240;

/// Raises the soft limit of open files to the hard limit. Each connection is an open file, and the usual soft limit of 1,024 is
/// far below the limit on connections.
#[cfg(unix)]
pub(super) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = limit.maximum.unwrap_or(INFINITE_LIMIT);
    if limit.current.is_none_or(|current| current >= raised) {
        return;
    }
    // With a low limit, the server works for fewer connections.
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => tracing::debug!(limit = raised, "raised the limit of open files"),
        Err(error) => tracing::debug!(%error, "cannot raise the limit of open files"),
    }
}

/// Does nothing: other systems have no such limit.
#[cfg(not(unix))]
pub(super) fn raise_limit() {}
