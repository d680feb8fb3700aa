//! `larder connect`: the configuration of a package manager for a repository.

use std::process::ExitCode;

use clap::Args;

use super::{DataOptions, Failure, Outcome, block_on};
use crate::connect::{Account, Client, Helper, Home, Record, Repository};

/// Which client, and to which repository.
#[derive(Debug, Args)]
pub(super) struct ConnectOptions {
    /// maven, gradle, cargo, bundler, gem, npm, pnpm, yarn, pip, uv, poetry, nuget; or a format: ruby, pypi.
    #[arg(value_name = "FORMAT")]
    client: String,
    /// The repository's domain.
    #[arg(long, required_unless_present = "undo")]
    domain: Option<String>,
    /// The account that owns the domain, if it is not the caller's.
    #[arg(long, value_name = "ACCOUNT")]
    domain_owner: Option<String>,
    /// The repository.
    #[arg(long, required_unless_present = "undo")]
    repository: Option<String>,
    /// Change the client's files instead of printing what would be in them.
    #[arg(long)]
    write: bool,
    /// Put back the files as they were before --write.
    #[arg(long, conflicts_with = "write")]
    undo: bool,
    /// Leave the client's own public registry where it is, beside the repository.
    #[arg(long)]
    keep_public: bool,
    #[command(flatten)]
    data: DataOptions,
}

pub(super) fn run(options: &ConnectOptions) -> Outcome {
    let clients = Client::named(&options.client)?;
    let home = Home::find()?;
    if options.undo {
        for client in clients {
            for path in Record::undo(client, &home)? {
                println!("{} is as it was before", path.display());
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(domain), Some(name)) = (&options.domain, &options.repository) else {
        return Err(Failure::new("--domain and --repository are needed"));
    };
    let account = Account::find(&options.data)?;
    for client in clients {
        let repository = block_on(find(&account, options, domain, name, client))?;
        let plan = client.plan(&repository, &home);
        if options.write {
            for path in Record::write(client, &plan, &home)? {
                println!("written: {}", path.display());
            }
        } else {
            for step in &plan.steps {
                let text = (step.edit)("").map_err(Failure::new)?;
                println!("--- {}\n{text}", step.path.display());
            }
        }
        for note in &plan.notes {
            println!("{note}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(
    account: &Account,
    options: &ConnectOptions,
    domain: &str,
    name: &str,
    client: Client,
) -> Outcome<Repository> {
    let owner = options.domain_owner.as_deref();
    let endpoint = account.endpoint(domain, owner, name, client.format()).await?;
    let token = account.token(domain, owner).await?.text;
    let mut arguments = vec!["--domain".to_owned(), domain.to_owned()];
    if let Some(owner) = owner {
        arguments.extend(["--domain-owner".to_owned(), owner.to_owned()]);
    }
    if let Some(folder) = account.data_dir() {
        arguments.extend(["--data-dir".to_owned(), folder.to_string_lossy().into_owned()]);
    }
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    Ok(Repository {
        domain: domain.to_owned(),
        name: name.to_owned(),
        endpoint,
        token,
        helper: Helper { program, arguments },
        keep_public: options.keep_public,
    })
}
