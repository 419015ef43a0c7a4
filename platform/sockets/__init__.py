"""What every WebSocket of the product needs: threads for the database, and look-ups that many share."""
