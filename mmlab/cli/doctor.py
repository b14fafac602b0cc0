"""`mmlab doctor`: what this machine has, what will be slow, what is missing and how to get it."""

import typer


def doctor() -> None:
    """Say what this machine has, what will be slow, and what is missing and how to get it."""
    from rich.console import Console
    from rich.table import Table

    from mmlab.apps.doctor import MISSING, OK, OPTIONAL, SLOW, examine

    signs = {OK: "[green]ok[/]", SLOW: "[yellow]slow[/]", OPTIONAL: "[dim]optional[/]", MISSING: "[red]missing[/]"}
    findings = examine()
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        table.add_row(signs[finding.state], finding.name, f"{finding.detail}. {finding.advice}".rstrip())
    Console().print(table)
    missing = [finding.name for finding in findings if finding.state == MISSING]
    if missing:
        typer.echo(f"Missing: {', '.join(missing)}.")
        raise typer.Exit(1)
    typer.echo("Everything that the course needs is here.")
