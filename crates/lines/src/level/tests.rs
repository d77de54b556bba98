use super::*;

fn check(table: &[(Level, &[&str])]) {
    for (level, lines) in table {
        for line in *lines {
            assert_eq!(level_of(line), Some(*level), "{line}");
        }
    }
}

#[test]
fn words_of_loggers_in_text_have_their_level() {
    check(&[
        (
            Level::Error,
            &[
                "2026-11-24T12:00:03Z ERROR connection refused",
                "error: could not compile",
                "[E] short",
                "CRITICAL everything",
                "ERROR: 0 is not a port",
                "Fatal error: Allowed memory size exhausted",
                "Connection lost: ERROR (see below)",
                "[2026-11-29 12:00:00,000: ERROR/MainProcess] Celery",
                "2026-11-29T12:00:00.000000Z 0 [ERROR] [MY-010119] [Server] Aborting",
                "[2026-11-29 12:00:00] production.ERROR: Laravel {\"exception\":1}",
                "E, [2026-11-29T12:00:00.000000 #12] ERROR -- : Ruby",
                "2026-11-29 12:00:00 UTC [1] FATAL:  password authentication failed",
            ],
        ),
        (
            Level::Warning,
            &[
                "2026-11-24 12:00:03,123 [main] WARN  c.e.App - slow",
                "warning[E0001]: unused",
                "PHP Warning:  Undefined variable $x in a.php on line 3",
                "2026-11-29T12:00:00.000000Z 0 [Warning] [MY-010068] CA certificate is self signed",
                "ts=1 level=WARN+2 msg=slog",
            ],
        ),
        (
            Level::Info,
            &[
                "INFO  server: listening, error: none so far",
                "[info] bracketed",
                "2026-11-29T12:00:00Z 0 [Note] MySQL",
                "<info> is no tag, INFO is",
            ],
        ),
        (
            Level::Debug,
            &["ts=1 level=debug msg=\"error=nil\"", "FINE details", "log.level=debug x=1", "lvl=dbug"],
        ),
        (Level::Trace, &["   TRACE deep", "FINEST details"]),
    ]);
}

#[test]
fn short_forms_of_zerolog_serilog_and_dotnet_have_their_level() {
    check(&[
        (
            Level::Error,
            &[
                "12:00 FTL fatal",
                "12:00PM ERR failed error=\"EOF\"",
                "2026-11-29T12:00:00Z PNC panic",
                "[12:00:00 FTL] Serilog",
                "[12:00:00 EROR] Serilog",
                "2026-11-29 12:00:00.000 +00:00 [ERR] Serilog",
                "fail: Microsoft.Hosting[0]",
                "crit: Microsoft.Hosting[0]",
            ],
        ),
        (
            Level::Warning,
            &["12:00 WRN zerolog", "[12:00:00 WRN] Serilog", "[12:00:00 wrn] Serilog", "warn: App.Pool[7]"],
        ),
        (Level::Info, &["12:00 INF info", "3:04PM INF zerolog", "[12:00:00 INF] Serilog", "info: App[14]"]),
        (Level::Debug, &["12:00 DBG zerolog", "[12:00:00 DBG] Serilog", "dbug: Microsoft.Hosting[0]"]),
        (Level::Trace, &["12:00 TRC zerolog", "[12:00:00 VRB] Serilog", "trce: App[0]"]),
    ]);
}

#[test]
fn lines_of_web_servers_have_their_level() {
    check(&[
        (
            Level::Error,
            &[
                "2026/11/29 12:00:00 [error] 12#12: *1 open() failed",
                "2026/11/29 12:00:00 [crit] 1#0: *7 SSL_do_handshake() failed",
                "2026/11/29 12:00:00 [emerg] 1#1: bind() to 0.0.0.0:80 failed",
                "[Wed Oct 11 14:32:52.123456 2026] [core:error] [pid 1:tid 2] [client 10.0.0.1:5] AH00126: Invalid URI",
                "[Wed Oct 11 14:32:52 2026] [alert] [client 127.0.0.1] denied",
            ],
        ),
        (
            Level::Warning,
            &["2026/11/29 12:00:00 [warn] 1#1: low", "[Sun Nov 29 12:00:00.1 2026] [ssl:warn] [pid 1] x"],
        ),
        (
            Level::Info,
            &["2026/11/29 12:00:00 [notice] 1#1: start", "[Sun Nov 29 12:00:00.1 2026] [mpm_event:notice] x"],
        ),
        (Level::Debug, &["2026/11/29 12:00:00 [debug] 1#1: epoll"]),
        (Level::Trace, &["[Sun Nov 29 12:00:00.1 2026] [http:trace4] [pid 1] x"]),
    ]);
}

#[test]
fn lines_of_compilers_and_npm_have_their_level() {
    check(&[
        (
            Level::Error,
            &[
                "main.c:12:5: error: expected ; before }",
                "main.c:12: error: 'INFO' undeclared",
                "src/a b.cpp:7:1: fatal error: x.h: No such file or directory",
                "collect2: error: ld returned 1 exit status",
                "clang: error: linker command failed with exit code 1",
                r"C:\my code\main.c(12): error C2143: syntax error",
                "main.cpp(12,5): fatal error C1083: Cannot open include file",
                "LINK : fatal error LNK1104: cannot open file 'x.lib'",
                "main.obj : error LNK2019: unresolved external symbol",
                "Program.cs(5,13): error CS0103: The name 'x' does not exist",
                "npm error code ERESOLVE",
                "npm ERR! code E404",
            ],
        ),
        (
            Level::Warning,
            &[
                "main.c:3:7: warning: unused variable 'error' [-Wunused-variable]",
                "ld: warning: directory not found for option",
                "main.cpp(3): warning C4996: deprecated",
                "cl : warning D9002 : ignoring unknown option",
                "npm warn deprecated a@1",
                "npm WARN deprecated a@1",
            ],
        ),
        (Level::Info, &["main.c:3:7: note: declared here", "npm notice created a lockfile", "npm info ok"]),
        (Level::Debug, &["npm verb cli node", "npm http fetch GET 200"]),
        (Level::Trace, &["npm sill idealTree", "npm silly idealTree"]),
    ]);
}

#[test]
fn letters_of_android_and_glog_have_their_level() {
    check(&[
        (
            Level::Error,
            &[
                "E/ActivityManager( 1234): ANR in com.x",
                "F/libc: Fatal signal 11",
                "11-29 12:00:00.000  1234  5678 E AndroidRuntime: FATAL EXCEPTION",
                "11-29 12:00:00.000 E/Tag( 1234): x",
                "[ 11-29 12:00:00.000  1234: 5678 E/Tag ]",
                "E( 1234) x",
                "2026-11-29 12:00:00.000  1234-5678  AndroidRuntime  com.x  E  FATAL",
                "E0806 14:55:01.000000 1 klog.go",
                "F20261129 12:00:00.123456  1234 a.cc:10] Check failed",
            ],
        ),
        (Level::Warning, &["W/Tag: x", "W1129 12:00:00.123456  1234 a.cc:10] slow"]),
        (Level::Info, &["I/Tag( 1): x", "I1129 12:00:00.123456  1234 a.cc:10] x"]),
        (Level::Debug, &["11-29 12:00:00.000  1234  5678 D Tag: x"]),
        (Level::Trace, &["2026-11-29 12:00:00.000000 +0000  1234  5678 V Tag: x"]),
    ]);
}

#[test]
fn priorities_of_syslog_and_systemd_have_their_level() {
    check(&[
        (
            Level::Error,
            &[
                "<3>kernel: oops",
                "<11>Nov 29 12:00:00 host app[1]: x",
                "<163>1 2026-11-29T12:00:00Z host app 1 - - x",
                "Sun Nov 29 12:00:00 2026 daemon.err uhttpd[1]: x",
                "Nov 29 12:00:00 host app[1]: error: x",
                "kern  :err   : [    1.000000] x",
                "[FAILED] Failed to start a.service",
                "PRIORITY=3",
            ],
        ),
        (Level::Warning, &["<4>x", "local7.warning: x", "kern  :warn  : [    1.0] x"]),
        (Level::Info, &["<14>daemon: hello", "<5>x", "<6>x", "    PRIORITY=6"]),
        (Level::Debug, &["<7>x"]),
    ]);
}

#[test]
fn fields_of_objects_have_their_level() {
    check(&[
        (
            Level::Error,
            &[
                r#"{"ts":1,"level":"error","msg":"INFO"}"#,
                r#"{level: "error"}"#,
                r#"{"severity":"EMERGENCY","message":"gcp"}"#,
                r#"{"severity":500,"message":"gcp"}"#,
                r#"{"severity_text":"ERROR","body":"otel"}"#,
                r#"{"severityNumber":17,"severityText":"","body":{"stringValue":"x"}}"#,
                r#"{"severityText":"FATAL4"}"#,
                r#"{"log":{"level":"error"},"message":"ecs nested"}"#,
                r#"{"@timestamp":"x","log":{"logger":"a","origin":{"file":"b"},"level":"ERROR"}}"#,
                r#"{"log.level":"error"}"#,
                r#"{"@level":"error","@message":"hclog"}"#,
                r#"{"message":"x","context":{"level":"info"},"level":400,"level_name":"ERROR","channel":"app"}"#,
                r#"{"level":550,"channel":"monolog"}"#,
                r#"{"PRIORITY":"3","MESSAGE":"journald"}"#,
                r#"{"version":"1.1","host":"a","short_message":"gelf","level":3}"#,
                r#"{"level":0,"short_message":"gelf"}"#,
                r#"{"name":"bunyan","level":50,"v":0}"#,
                r#"{"t":{"$date":"x"},"s":"F","c":"NETWORK","msg":"mongod"}"#,
                r#"{"level":"dpanic"}"#,
            ],
        ),
        (
            Level::Warning,
            &[
                r#"{"severity": "WARNING"}"#,
                r#"{"severity_number":13}"#,
                r#"{"level":40}"#,
                r#"{"level_name":"WARNING"}"#,
                r#"{"PRIORITY":4}"#,
                r#"{"short_message":"gelf","level":4}"#,
                r#"{"t":{"$date":"x"},"s":"W"}"#,
                r#"{"level":"WARN+1"}"#,
            ],
        ),
        (
            Level::Info,
            &[
                r#"{"msg":"level=error","ctx":{"level":"error"},"Level":"Information"}"#,
                r#"{"level":30,"msg":"pino"}"#,
                r#"{"severity":"NOTICE"}"#,
                r#"{"level":250,"channel":"monolog"}"#,
                r#"{"t":{"$date":"x"},"s":"I"}"#,
                r#"{"PRIORITY":"6"}"#,
            ],
        ),
        (
            Level::Debug,
            &[
                r#"{"@l":"Debug"}"#,
                r#"{"severityNumber":5}"#,
                r#"{"level":100,"channel":"monolog"}"#,
                r#"{"t":{"$date":"x"},"s":"D2"}"#,
                r#"{"level":"DEBUG-1"}"#,
            ],
        ),
        (Level::Trace, &[r#"{"@l":"Verbose"}"#, r#"{"level":10}"#, r#"{"severityText":"TRACE"}"#]),
    ]);
}

#[test]
fn lines_behind_a_prefix_have_the_level_that_they_have_alone() {
    for prefix in [
        "web-1  | ",
        "2026-11-29T12:00:00.0Z ",
        "2026-11-29T12:00:00.0Z stdout F ",
        "[pod/web-0/nginx] ",
        "web-0 nginx ",
        "Nov 29 12:00:00 host app[1]: ",
        "<14>Nov 29 12:00:00 host app[1]: ",
        "<14>1 2026-11-29T12:00:00Z host app 1 - - ",
        "a.log | ",
    ] {
        let line = format!("{prefix}{{\"level\":\"error\",\"msg\":\"INFO\"}}");
        assert_eq!(level_of(&line), Some(Level::Error), "{line}");
    }
    check(&[
        (Level::Error, &["web-1  | error: x", "2026-11-29T12:00:00Z stderr F E1129 12:00:00.1 1 a.go:1] x"]),
        (Level::Warning, &["<4>{\"msg\":\"no level of its own\"}", "[pod/a/b] 12:00 WRN x"]),
    ]);
}

#[test]
fn words_elsewhere_have_no_level() {
    for line in [
        "",
        "0 errors, 2 warnings",
        "no errors",
        "No errors found",
        "NO ERROR",
        "0 ERROR, 0 WARN",
        "error: 0",
        "Error: 0",
        "ERROR: 0",
        "errors: 0",
        "error: none",
        "error: 0 problems",
        "err: <nil>",
        "error : 0",
        "main.c: error: 0",
        "fail: 0",
        "debug: false",
        "ERROR=0",
        "GET /error/404 200",
        "GET https://example.com/error/x.html",
        "GET https://example.com/api/ERROR/x 200",
        "GET /?level=error HTTP/1.1",
        "GET /x?a=1&level=error HTTP/1.1",
        "ErrorHandler registered",
        "ErrorHandler.js loaded",
        "error.js loaded",
        "error-handler: started",
        "ERROR.log rotated",
        "NON-ERROR x",
        "error=nil",
        "level=eror",
        "level=eror msg=x",
        "log level: error",
        "no information available",
        "the alert was closed",
        "ERROR and INFO in one line",
        "<b>bold</b>",
        "I/O error: is no tag",
        "E1234 is a code",
        "A dog",
        "npm install",
        "npm run error",
        "inf",
        "value is INF",
        "System ready",
        "note that",
        "12:00 E x",
        r#"{"levels":["error"]}"#,
        r#"{"msg":"level=error","ctx":{"level":"error"}}"#,
        r#"{"level":"eror"}"#,
        r#"{"level":3,"player":"a"}"#,
        r#"{"log":"error"}"#,
        r#"{"log":["level","error"]}"#,
        r#"{"log":{"a":{"level":"error"}}}"#,
        r#"{"error":0}"#,
        r#"{"s":"x"}"#,
        r#"{"severity":"DEFAULT"}"#,
        "sublevel=error",
        "a.b.level=error",
        "Error handling was improved",
        "/INFO INFO/ xINFO INFOx _INFO INFO_ 1INFO INFO1",
    ] {
        assert_eq!(level_of(line), None, "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn any_line_has_the_same_level_behind_a_prefix(
        line in "([\\[\\]() :/.<>=0-9{}\",é]|error|WRN |npm |E/|12:00 |Nov |level){0,40}",
    ) {
        let behind = level_of(&format!("web-1  | {line}"));
        proptest::prop_assert_eq!(behind, level_of(&line));
    }
}
