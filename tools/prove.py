"""For contributors and CI: prove that the course keeps its word, one line a proof."""

from kata.cli import click, command
from kata.proofs import prove
from kata.topics import all_topics, find_topic


@command
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
def main(topics):
    """Prove TOPICs, all by default: starters, hints, suites and mistakes are what the course says they are.

    Exit status: 0 all proofs hold, 1 one does not, 2 the call is wrong.
    """
    chosen = [find_topic(text) for text in topics] or all_topics()
    failed = 0
    for topic in chosen:
        for claim, faults in prove(topic):
            failed += bool(faults)
            _say(f"{topic}: {claim}", faults)
    click.echo("all proofs hold." if not failed else f"{failed} proofs do not hold.")
    return 1 if failed else 0


def _say(claim, faults):
    mark = click.style("FAIL", fg="red") if faults else click.style("ok  ", fg="green")
    click.echo(f"{mark}  {claim}")
    for fault in faults:
        click.echo(f"        {fault}")


if __name__ == "__main__":
    main()
