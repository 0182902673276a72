//! Reads an ARN with agentcore-core.

use std::{env, error::Error};

use agentcore_core::{Arn, Target, operation};

fn main() -> Result<(), Box<dyn Error>> {
    let arn: Arn = env::args().nth(1).ok_or("an ARN is needed")?.parse()?;
    println!("{}", Target::new(arn).url(&operation::INVOKE)?);
    Ok(())
}
