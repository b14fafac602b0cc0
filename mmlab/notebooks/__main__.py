import sys

from mmlab.notebooks.run import main

sys.exit(main())
