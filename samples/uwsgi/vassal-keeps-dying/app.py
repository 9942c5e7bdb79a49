raise RuntimeError('no database')
