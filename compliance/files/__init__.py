"""What files that people write share: read strictly, written whole or not at all."""
