"""What the send benchmark needs: a world, senders, drivers, a far-away server."""
