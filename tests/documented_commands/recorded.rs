//! Documented commands that need a network, an account or a nightly compiler. A shell runs them with recorders in place of the
//! programs, which checks quotes, loops and paths. The reasons name the tests of their effect.

/// Command that is not run for real.
pub struct Recorded {
    /// Command of the documents.
    pub command: &'static str,
    /// Recorders, by their paths in the sandbox.
    pub programs: &'static [&'static str],
    /// Arguments of each call that the recorders must have received.
    pub calls: &'static [&'static [&'static str]],
    /// Reason for not running the command, and the test of its effect if there is one.
    pub reason: &'static str,
}

/// Uploads to Amazon S3.
const S3_SYNC: &str = "aws s3 sync dist/site s3://BUCKET/tailcast --delete --exclude '*.br' --exclude '*.gz' \
                       --exclude _headers --cache-control no-cache";
const S3_HASHED: &str = "for kind in css js svg; do\n\
                         aws s3 cp dist/site s3://BUCKET/tailcast --recursive --exclude '*' \
                         --include \"*-????????*.$kind\" --cache-control 'public, max-age=31536000, immutable'\n\
                         done";
const S3_WASM: &str = "aws s3 cp dist/site s3://BUCKET/tailcast --recursive --exclude '*' --include '*.wasm' \
                       --content-type application/wasm --cache-control 'public, max-age=31536000, immutable'";

/// All commands that are not run for real.
pub const RECORDED: [Recorded; 13] = [
    Recorded {
        command: "git clone https://github.com/tailcast/tailcast && cd tailcast",
        programs: &["bin/git"],
        calls: &[&["git", "clone", env!("CARGO_PKG_REPOSITORY")]],
        reason: "needs a network",
    },
    Recorded {
        command: "cargo add webpubsub-client --git https://github.com/tailcast/tailcast --features native",
        programs: &["bin/cargo"],
        calls: &[&["cargo", "add", "webpubsub-client", "--git", env!("CARGO_PKG_REPOSITORY"), "native"]],
        reason: "needs a network; tests/native_client.rs uses the crate with the same feature",
    },
    Recorded {
        command: "cargo +nightly fuzz run json_request",
        programs: &["bin/cargo"],
        calls: &[&["cargo", "+nightly", "fuzz", "run", "json_request"]],
        reason: "needs a nightly compiler and never ends; `cargo xtask lint` compiles the fuzz targets",
    },
    Recorded {
        command: "PATH=\"$PWD/.tools/cargo/bin:$PATH\" trunk serve",
        programs: &[".tools/cargo/bin/trunk"],
        calls: &[&["trunk", "serve"]],
        reason: "compiles the page for minutes; `cargo xtask build` compiles it with the same trunk and Trunk.toml",
    },
    Recorded {
        command: S3_SYNC,
        programs: &["bin/aws"],
        calls: &[&["s3", "sync", "*.br", "*.gz", "_headers", "no-cache"]],
        reason: "needs an account; a test checks the selected files and their caching",
    },
    Recorded {
        command: S3_HASHED,
        programs: &["bin/aws"],
        calls: &[&["*-????????*.css"], &["*-????????*.js"], &["*-????????*.svg"]],
        reason: "needs an account; a test checks the selected files and their caching",
    },
    Recorded {
        command: S3_WASM,
        programs: &["bin/aws"],
        calls: &[&["*.wasm", "application/wasm"]],
        reason: "needs an account; a test checks the selected files and their caching",
    },
    Recorded {
        command: "az storage blob upload-batch -s dist/site -d '$web/tailcast' --account-name ACCOUNT --overwrite \
                  --content-cache no-cache",
        programs: &["bin/az"],
        calls: &[&["upload-batch", "dist/site", "$web/tailcast", "no-cache"]],
        reason: "needs an account",
    },
    Recorded {
        command: "az storage blob upload-batch -s dist/site -d '$web/tailcast' --account-name ACCOUNT --overwrite \
                  --pattern '*.wasm' --content-type application/wasm --content-cache 'public, max-age=31536000, immutable'",
        programs: &["bin/az"],
        calls: &[&["upload-batch", "$web/tailcast", "*.wasm", "public, max-age=31536000, immutable"]],
        reason: "needs an account",
    },
    Recorded {
        command: "cd deploy/azure-functions && npm install",
        programs: &["bin/npm"],
        calls: &[&["npm", "install"]],
        reason: "needs a network; tests/azure_function.rs runs the function with these packages",
    },
    Recorded {
        command: "func azure functionapp publish NAME",
        programs: &["bin/func"],
        calls: &[&["func", "azure", "functionapp", "publish", "NAME"]],
        reason: "needs an account; tests/azure_function.rs runs the function",
    },
    Recorded {
        command: "az functionapp config appsettings set --name NAME --resource-group GROUP --settings \
                  WEBPUBSUB_CONNECTION_STRING=\"$CONNECTION_STRING\" TAILCAST_PUBLISH_KEY=\"$SECRET\" \
                  'TAILCAST_OPEN_GROUPS=stream|build-\\d+'",
        programs: &["bin/az"],
        calls: &[&[
            "appsettings",
            "WEBPUBSUB_CONNECTION_STRING=Endpoint=https://x;",
            r"TAILCAST_OPEN_GROUPS=stream|build-\d+",
        ]],
        reason: "needs an account; tests/azure_function.rs runs the function with these settings",
    },
    Recorded {
        command: "az functionapp cors add --name NAME --resource-group GROUP --allowed-origins https://files.example.com",
        programs: &["bin/az"],
        calls: &[&["functionapp", "cors", "add", "--allowed-origins", "https://files.example.com"]],
        reason: "needs an account; tests/azure_function.rs runs the function with an allowed origin",
    },
];

/// Uploads to Amazon S3, in the order of the document.
pub const S3: [&str; 3] = [S3_SYNC, S3_HASHED, S3_WASM];
