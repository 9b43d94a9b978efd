"""What a plan is made of; each step is run(context) -> StepResult."""
